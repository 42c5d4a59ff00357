import Foundation
import IR

/// What a .solverstate of Caffe holds: how far training came, and the solver's memory.
public struct SolverStateFile: Hashable, Sendable {
  /// Updates made.
  public var iteration: Int
  /// The .caffemodel written with it; empty if none is named.
  public var learnedNet: String
  /// The step of a learning rate policy that counts them.
  public var currentStep: Int
  /// Momentum and the like, one blob per parameter and kind.
  public var history: [Blob]
  /// Positions of data sources and random states, by net and layer; sparsec's own, as all below.
  public var netState: [String: [UInt8]] = [:]
  /// What sparsifying methods remember, by method.
  public var methodState: [String: [UInt8]] = [:]
  /// Values behind masks.
  public var denseArrays: [Snapshot.DenseArray] = []
  /// The same as in the caffemodel that belongs to it; nil if Caffe wrote it.
  public var stamp: UInt64?

  public init(iteration: Int, learnedNet: String, currentStep: Int, history: [Blob]) {
    self.iteration = iteration
    self.learnedNet = learnedNet
    self.currentStep = currentStep
    self.history = history
  }

  /// Reads the file at `path`: a binary one of up to 2 GB, or one in HDF5.
  ///
  /// - Throws: one line that says what is wrong with the file.
  public init(contentsOf path: String) throws(Diagnostic) {
    if SnapshotFiles.isHDF5(path) {
      self = try HDF5Snapshot.state(at: path)
    } else {
      try self.init(data: BinaryFile.contents(of: path), file: path)
    }
  }

  /// Decodes the bytes of a file that error messages shall call `file`.
  public init(data: Data, file: String) throws(Diagnostic) {
    let state = try BinaryFile.decode(
      WireSolverState.self, as: .solverState, from: data, file: file, what: "a binary solverstate")
    guard state.hasIter else {
      throw .error("names no iteration; is it a binary solverstate?", file: file)
    }
    iteration = Int(state.iter)
    learnedNet = state.learnedNet
    currentStep = Int(state.currentStep)
    history = []
    for (index, wire) in state.history.enumerated() {
      do {
        history.append(try Blob(wire))
      } catch {
        throw .error("history \(index): \(error)", file: file)
      }
    }
    try readTraining(state.training, file: file)
  }

  private mutating func readTraining(_ wire: WireTrainingState, file: String) throws(Diagnostic) {
    for entry in wire.net { netState[entry.name] = [UInt8](entry.value) }
    for entry in wire.method { methodState[entry.name] = [UInt8](entry.value) }
    stamp = wire.hasStamp ? wire.stamp : nil
    for dense in wire.dense {
      do {
        denseArrays.append(
          Snapshot.DenseArray(
            layer: dense.layer, index: Int(dense.index), tensor: try Blob(dense.blob).tensor))
      } catch {
        throw .error("dense weights of layer \(Spelling.quoted(dense.layer)): \(error)", file: file)
      }
    }
  }

  /// What is sparsec's own, for files of another format.
  func trainingBytes(file: String) throws(Diagnostic) -> Data {
    guard let bytes: Data = try? training.serializedBytes() else {
      throw .error("the state of training does not fit into a file", file: file)
    }
    return bytes
  }

  /// Takes what `trainingBytes` gave.
  mutating func readTraining(_ bytes: Data, file: String) throws(Diagnostic) {
    guard !bytes.isEmpty else { return }
    let wire = try BinaryFile.decode(
      WireTrainingState.self, as: .trainingState, from: bytes, file: "\(file), its state",
      what: "a state of training")
    try readTraining(wire, file: file)
  }

  /// Writes the file whole or not at all.
  ///
  /// - Throws: one line, if it can not be written or would be larger than 2 GB.
  public func write(to path: String) throws(Diagnostic) {
    let bytes =
      history.reduce(0) { $0 + 4 * $1.tensor.count }
      + denseArrays.reduce(0) { $0 + 4 * $1.tensor.count }
    guard bytes < BinaryFile.maximumBytes - 4096 * (history.count + 1) else {
      throw .error(
        "would hold \(bytes) bytes, and the format's limit is 2 GB; use snapshot_format: HDF5",
        file: path)
    }
    try WholeFile.create(path) { handle in
      try handle.write(contentsOf: head.serializedBytes() as Data)
      // One array at a time; messages one behind the other are one message.
      for blob in history {
        var part = WireSolverState()
        part.history = [blob.wire]
        try handle.write(contentsOf: part.serializedBytes() as Data)
      }
    }
  }

  /// Everything but the history.
  private var head: WireSolverState {
    var state = WireSolverState()
    state.iter = Int32(clamping: iteration)
    state.learnedNet = learnedNet
    state.currentStep = Int32(clamping: currentStep)
    state.training = training
    return state
  }

  private var training: WireTrainingState {
    var training = WireTrainingState()
    training.net = Self.entries(netState)
    training.method = Self.entries(methodState)
    training.dense = denseArrays.map { dense in
      var wire = WireDenseBlob()
      wire.layer = dense.layer
      wire.index = Int32(dense.index)
      wire.blob = Blob(dense.tensor).wire
      return wire
    }
    if let stamp { training.stamp = stamp }
    return training
  }

  private static func entries(_ states: [String: [UInt8]]) -> [WireNamedBytes] {
    states.sorted { $0.key < $1.key }.map { name, value in
      var wire = WireNamedBytes()
      wire.name = name
      wire.value = Data(value)
      return wire
    }
  }
}
