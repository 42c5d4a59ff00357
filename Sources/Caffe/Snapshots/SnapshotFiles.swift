import Foundation
import IR

/// Snapshots on disk: pairs of a .caffemodel and a .solverstate that Caffe reads too.
public enum SnapshotFiles {
  /// Where the two files of a snapshot are.
  public struct Paths: Hashable, Sendable {
    public var model: String
    public var state: String

    /// `PREFIX_iter_N.caffemodel` and `.solverstate`, with `.h5` behind in HDF5.
    public init(
      prefix: String, iteration: Int, format: SolverSettings.SnapshotFormat
    ) {
      let ending = format == .hdf5 ? ".h5" : ""
      model = "\(prefix)_iter_\(iteration).caffemodel\(ending)"
      state = "\(prefix)_iter_\(iteration).solverstate\(ending)"
    }
  }

  /// Checks before training that snapshots can be written.
  ///
  /// - Throws: one line about the folder of `prefix`.
  public static func requireWritable(prefix: String) throws(Diagnostic) {
    let folder = URL(fileURLWithPath: prefix).deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      throw .error(
        "snapshot_prefix: there is no folder \(Spelling.quoted(folder)); make it first")
    }
    guard access(folder, W_OK) == 0 else {
      throw .error("snapshot_prefix: the folder \(Spelling.quoted(folder)) can not be written")
    }
  }

  /// Writes both files, each whole or not at all, the .solverstate last: whatever happens, the newest .solverstate
  /// has its .caffemodel.
  ///
  /// - Parameter masks: how the .caffemodel tells which weights are masked.
  /// - Throws: one line about a file that can not be written.
  public static func write(
    _ snapshot: Snapshot, prefix: String, format: SolverSettings.SnapshotFormat,
    masks: MaskFormat = .own
  ) throws(Diagnostic) -> Paths {
    let paths = Paths(prefix: prefix, iteration: snapshot.iteration, format: format)
    var state = SolverStateFile(
      iteration: snapshot.iteration, learnedNet: paths.model, currentStep: snapshot.currentStep,
      history: snapshot.history.map { Blob($0) })
    state.netState = snapshot.netState
    state.methodState = snapshot.methodState
    state.denseArrays = snapshot.denseArrays
    state.stamp = snapshot.stamp
    switch format {
    case .binary:
      try snapshot.caffemodel(masks).write(to: paths.model)
      try state.write(to: paths.state)
    case .hdf5:
      try HDF5Snapshot.write(snapshot, masks: masks, to: paths.model)
      try HDF5Snapshot.write(state, to: paths.state)
    }
    return paths
  }

  /// Reads a snapshot by its .solverstate, in either format.
  ///
  /// - Parameter net: the net that it shall be for; layers are matched to it by name.
  /// - Throws: one line about a file that is missing, damaged, or from another run or net.
  public static func read(_ path: String, for net: TrainingNet) throws(Diagnostic)
    -> (snapshot: Snapshot, findings: [Diagnostic])
  {
    let state = try SolverStateFile(contentsOf: path)
    guard !state.learnedNet.isEmpty else {
      throw .error("names no caffemodel; its weights are lost", file: path)
    }
    let model = located(state.learnedNet, beside: path)
    guard FileManager.default.fileExists(atPath: model) else {
      throw .error(
        "its weights, \(Spelling.quoted(state.learnedNet)), are not there; put the two files into "
          + "one folder", file: path)
    }
    let caffemodel = try Caffemodel(contentsOf: model)
    let (layers, findings) = try matched([(caffemodel, model)], to: net)
    var snapshot = Snapshot(
      netName: caffemodel.name, iteration: state.iteration, currentStep: state.currentStep,
      history: state.history.map(\.tensor), layers: layers)
    snapshot.netState = state.netState
    snapshot.methodState = state.methodState
    snapshot.denseArrays = state.denseArrays
    guard state.stamp == nil || state.stamp == caffemodel.stamp else {
      throw .error(
        "belongs to other weights than \(Spelling.quoted(model)) holds now: that file was written "
          + "again; use a .solverstate that was not", file: path)
    }
    return (snapshot, findings)
  }

  /// Reads trained weights for a net, by layer name; of several files the last one that has a layer wins.
  ///
  /// - Returns: the layers that the files have of the net, in its order, and notes about what was done.
  /// - Throws: one line about a file that is missing or damaged, or has a layer of another shape.
  public static func weights(_ paths: [String], for net: TrainingNet) throws(Diagnostic)
    -> (layers: [Snapshot.Layer], findings: [Diagnostic])
  {
    var models: [(Caffemodel, String)] = []
    for path in paths { models.append((try Caffemodel(contentsOf: path), path)) }
    return try matched(models, to: net)
  }

  // MARK: - Parts

  /// Whether the name or the first bytes of a file say so; a pipe is not asked for bytes.
  static func isHDF5(_ path: String) -> Bool {
    if path.hasSuffix(".h5") { return true }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    guard let handle = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)) else {
      return false
    }
    defer { try? handle.close() }
    let start = try? handle.read(upToCount: 8)
    return start == Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
  }

  /// The file as it is named, from the working folder, or else beside the .solverstate.
  private static func located(_ name: String, beside path: String) -> String {
    if FileManager.default.fileExists(atPath: name) { return name }
    return URL(fileURLWithPath: path).deletingLastPathComponent()
      .appendingPathComponent((name as NSString).lastPathComponent).path
  }

  private static func matched(_ models: [(model: Caffemodel, file: String)], to net: TrainingNet)
    throws(Diagnostic) -> (layers: [Snapshot.Layer], findings: [Diagnostic])
  {
    var layers: [Snapshot.Layer] = []
    var findings: [Diagnostic] = []
    var owned: [String: Snapshot.LearnedArray] = [:]
    for layer in net.layers where !layer.parameters.isEmpty {
      let found = models.reversed().lazy.compactMap { model, file in
        model.layer(named: layer.name).map { ($0, file) }
      }.first { !$0.0.blobs.isEmpty }
      // In HDF5 an array stands with the layer that owns it only.
      let missing = layer.parameters.map { owned[$0.sharedName] }
      let isShort = found.map { $0.0.blobs.count < layer.parameters.count } ?? true
      guard found != nil || missing.allSatisfy({ $0 != nil }) else { continue }
      let own = layer.parameters.indices.filter { !isShort || missing[$0] == nil }
      var arrays = missing
      if let (blobs, file) = found {
        let slots = own.map { layer.parameters[$0].slot }
        let (tensors, notes) = try blobs.matched(to: slots, file: file)
        findings += notes
        let masks = try blobs.trainingMasks(for: slots, file: file)
        for (place, index) in own.enumerated() {
          arrays[index] = Snapshot.LearnedArray(tensors[place], mask: masks[place])
        }
      }
      let all = zip(layer.parameters, arrays).compactMap { parameter, array in
        array.map { Self.reshaped($0, to: parameter.slot.shape) }
      }
      for (parameter, array) in zip(layer.parameters, all)
      where !parameter.sharedName.isEmpty && owned[parameter.sharedName] == nil {
        owned[parameter.sharedName] = array
      }
      layers.append(Snapshot.Layer(name: layer.name, type: layer.typeName, arrays: all))
    }
    return (layers, findings)
  }

  /// Layers may share an array of as many elements in other shapes.
  private static func reshaped(_ array: Snapshot.LearnedArray, to shape: Shape)
    -> Snapshot.LearnedArray
  {
    guard array.tensor.shape != shape, array.tensor.count == shape.count else { return array }
    var result = array
    result.tensor = array.tensor.reshaped(to: shape)
    return result
  }
}
