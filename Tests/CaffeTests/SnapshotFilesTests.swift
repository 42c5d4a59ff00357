import Foundation
import IR
import TestSupport
import Testing

@testable import Caffe

@Suite struct SnapshotFilesTests {
  /// A folder that is gone afterwards.
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "sparsec-snapshots-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private static let net = """
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 5 dim: 5 } } }
    layer { name: "block/conv" type: "Convolution" bottom: "x" top: "c"
      convolution_param { num_output: 4 kernel_size: 3 } }
    layer { name: "s" type: "PReLU" bottom: "c" top: "c" prelu_param { channel_shared: true } }
    layer { name: "a" type: "InnerProduct" bottom: "c" top: "a" param { } param { name: "b" }
      inner_product_param { num_output: 4 } }
    layer { name: "z" type: "InnerProduct" bottom: "a" top: "z" param { } param { name: "b" }
      inner_product_param { num_output: 4 } }
    layer { name: "w" type: "Winograd" bottom: "x" top: "w"
      convolution_param { num_output: 2 kernel_size: 3 } }
    """

  private func definition(_ text: String = net) throws -> TrainingNet {
    try TrainingNetReader.read(
      Prototxt.parse(text: text, file: "n"), state: NetState(phase: .train), dialect: .bvlc
    ) { (_, _, _) throws(Diagnostic) in [] }
  }

  /// A snapshot with everything that there can be.
  private func snapshot(seed: UInt64 = 1, gradients: Bool = false) throws -> Snapshot {
    var random = SeededGenerator(seed: seed)
    func tensor(_ shape: Shape) -> Tensor {
      Tensor(
        shape: shape,
        values: (0..<shape.count).map { _ in Float.random(in: -1...1, using: &random) })
    }
    var snapshot = Snapshot(netName: "small", iteration: 120, currentStep: 3)
    var bias: Tensor?
    for layer in try definition().layers {
      var arrays: [Snapshot.LearnedArray] = []
      for parameter in layer.parameters {
        let isShared = !parameter.sharedName.isEmpty && bias != nil
        var array = Snapshot.LearnedArray(
          isShared ? bias ?? tensor(.scalar) : tensor(parameter.slot.shape), isShared: isShared)
        if !parameter.sharedName.isEmpty { bias = array.tensor }
        if gradients { array.gradient = tensor(parameter.slot.shape) }
        arrays.append(array)
        if !isShared { snapshot.history.append(tensor(parameter.slot.shape)) }
      }
      snapshot.layers.append(
        Snapshot.Layer(name: layer.name, type: layer.typeName, arrays: arrays))
    }
    snapshot.layers[1].arrays[0].mask = (0..<108).map { $0 % 7 != 0 }
    snapshot.denseArrays = [
      Snapshot.DenseArray(layer: "a", index: 0, tensor: tensor(try Shape([4, 36])))
    ]
    snapshot.netState = ["train/in": [1, 2, 255], "test 0/in": []]
    snapshot.methodState = ["magnitude pruning": [9]]
    return snapshot
  }

  /// What reading gives: layers with arrays, gradients gone, sharing not told.
  private func expected(_ snapshot: Snapshot, named: Bool) -> Snapshot {
    var expected = snapshot
    expected.layers = snapshot.layers.filter { !$0.arrays.isEmpty }
    for layer in expected.layers.indices {
      for array in expected.layers[layer].arrays.indices {
        expected.layers[layer].arrays[array].gradient = nil
        expected.layers[layer].arrays[array].isShared = false
      }
    }
    if !named { expected.netName = "" }
    return expected
  }

  @Test(arguments: [SolverSettings.SnapshotFormat.binary, .hdf5], [false, true])
  func `what is written is read`(_ format: SolverSettings.SnapshotFormat, _ gradients: Bool) throws
  {
    try inFolder { folder in
      let snapshot = try snapshot(gradients: gradients)
      let paths = try SnapshotFiles.write(snapshot, prefix: "\(folder)/net", format: format)
      let ending = format == .hdf5 ? ".h5" : ""
      #expect(paths.state == "\(folder)/net_iter_120.solverstate\(ending)")
      #expect(paths.model == "\(folder)/net_iter_120.caffemodel\(ending)")
      let (again, _) = try SnapshotFiles.read(paths.state, for: definition())
      #expect(again == expected(snapshot, named: format == .binary))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }
  }

  /// As SkimCaffe does: one matrix [out,in] for every point.
  @Test func `weights of the Winograd domain lie point by point`() throws {
    try inFolder { folder in
      let snapshot = try snapshot()
      let paths = try SnapshotFiles.write(snapshot, prefix: "\(folder)/net", format: .binary)
      let written = try #require(try Caffemodel(contentsOf: paths.model).layer(named: "w")).blobs[0]
      #expect(written.shape.extents == [6, 6, 2, 3])
      let own = try #require(snapshot.layers.last).arrays[0].tensor
      #expect(own.shape.extents == [2, 3, 6, 6])
      for pair in 0..<6 {
        for point in 0..<36 {
          #expect(written.values[point * 6 + pair] == own.values[pair * 36 + point])
        }
      }
    }
  }

  @Test(arguments: [SolverSettings.SnapshotFormat.binary, .hdf5])
  func `the same run writes the same bytes`(_ format: SolverSettings.SnapshotFormat) throws {
    try inFolder { folder in
      let paths = try SnapshotFiles.write(snapshot(), prefix: "\(folder)/net", format: format)
      let first = try [paths.model, paths.state].map { try Data(contentsOf: URL(filePath: $0)) }
      // HDF5 would write the second of the day down.
      usleep(1_100_000)
      _ = try SnapshotFiles.write(snapshot(), prefix: "\(folder)/net", format: format)
      let second = try [paths.model, paths.state].map { try Data(contentsOf: URL(filePath: $0)) }
      #expect(first == second)
    }
  }

  /// Killed between the two files of a later run into the same folder.
  @Test(arguments: [SolverSettings.SnapshotFormat.binary, .hdf5])
  func `a state does not go with weights of another run`(_ format: SolverSettings.SnapshotFormat)
    throws
  {
    try inFolder { folder in
      let paths = try SnapshotFiles.write(snapshot(), prefix: "\(folder)/net", format: format)
      let state = try Data(contentsOf: URL(filePath: paths.state))
      _ = try SnapshotFiles.write(snapshot(seed: 2), prefix: "\(folder)/net", format: format)
      try state.write(to: URL(filePath: paths.state))
      #expect {
        _ = try SnapshotFiles.read(paths.state, for: definition())
      } throws: {
        "\($0)".hasPrefix("\(paths.state): belongs to other weights than ")
      }
    }
  }

  @Test func `files may move together`() throws {
    try inFolder { folder in
      let old = "\(folder)/old"
      try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
      let snapshot = try snapshot()
      _ = try SnapshotFiles.write(snapshot, prefix: "\(old)/net", format: .binary)
      try FileManager.default.moveItem(atPath: old, toPath: "\(folder)/new")
      let path = "\(folder)/new/net_iter_120.solverstate"
      #expect(try SnapshotFiles.read(path, for: definition()).snapshot.iteration == 120)
      try FileManager.default.removeItem(atPath: "\(folder)/new/net_iter_120.caffemodel")
      #expect {
        _ = try SnapshotFiles.read(path, for: definition())
      } throws: {
        "\($0)".hasSuffix("are not there; put the two files into one folder")
      }
    }
  }

  /// Field by field, as any protobuf reader would see it.
  @Test func `others skip what is ours`() throws {
    try inFolder { folder in
      let paths = try SnapshotFiles.write(snapshot(), prefix: "\(folder)/net", format: .binary)
      let state = try Data(contentsOf: URL(filePath: paths.state))
      #expect(Set(topFields(state)) == [1, 2, 3, 4, 50001])
      #expect(topFields(state).count { $0 == 3 } == 8)
      let model = try Data(contentsOf: URL(filePath: paths.model))
      #expect(topFields(model) == [1, 50001, 100, 100, 100, 100, 100, 100])
    }
  }

  private func topFields(_ data: Data) -> [UInt64] {
    let bytes = [UInt8](data)
    var offset = 0
    func varint() -> UInt64 {
      var (value, shift): (UInt64, UInt64) = (0, 0)
      while true {
        let byte = bytes[offset]
        offset += 1
        value |= UInt64(byte & 0x7f) << shift
        if byte & 0x80 == 0 { return value }
        shift += 7
      }
    }
    var fields: [UInt64] = []
    while offset < bytes.count {
      let tag = varint()
      fields.append(tag >> 3)
      switch tag & 7 {
      case 0: _ = varint()
      case 1: offset += 8
      case 2: offset += Int(varint())
      default: offset += 4
      }
    }
    return fields
  }

  @Test func `a model in HDF5 is a model`() throws {
    try inFolder { folder in
      let snapshot = try snapshot()
      let paths = try SnapshotFiles.write(snapshot, prefix: "\(folder)/net", format: .hdf5)
      let model = try Caffemodel(contentsOf: paths.model)
      #expect(model.layers.map(\.name).sorted() == ["a", "block/conv", "s", "w", "z"])
      let conv = try #require(model.layer(named: "block/conv"))
      #expect(conv.blobs.map(\.tensor) == snapshot.layers[1].arrays.map(\.tensor))
      #expect(conv.masks == [0: try #require(snapshot.layers[1].arrays[0].mask)])
      // As in Caffe, only the owner of a shared array has it.
      #expect(model.layer(named: "z")?.blobs.count == 1)
    }
  }

  // MARK: - Weights

  @Test func `of several files the last one wins`() throws {
    try inFolder { folder in
      func model(_ name: String, _ value: Float) throws -> String {
        let path = "\(folder)/\(name)"
        let blobs = [
          Blob(Tensor(shape: try Shape([4, 36]), repeating: value)),
          Blob(Tensor(shape: .vector(4), repeating: value)),
        ]
        try Caffemodel(
          name: "", layers: [LayerBlobs(name: "a", type: "InnerProduct", blobs: blobs)]
        ).write(to: path)
        return path
      }
      let paths = [try model("1", 1), try model("2", 2)]
      let (layers, _) = try SnapshotFiles.weights(paths, for: definition())
      #expect(layers.map(\.name) == ["a"])
      #expect(layers[0].arrays[0].tensor.values.first == 2)
    }
  }

  @Test func `weights of another shape are refused`() throws {
    try inFolder { folder in
      let path = "\(folder)/w"
      let blobs = [Blob(Tensor(shape: .vector(2), repeating: 1))]
      try Caffemodel(name: "", layers: [LayerBlobs(name: "s", type: "PReLU", blobs: blobs)])
        .write(to: path)
      #expect {
        _ = try SnapshotFiles.weights([path], for: definition())
      } throws: {
        "\($0)" == "\(path): layer \"s\": blob 0 has shape [2] where the net needs []"
      }
    }
  }

  @Test func `masks of network surgery are masks`() throws {
    try inFolder { folder in
      let path = "\(folder)/w"
      let (w, b) = (try Shape([4, 36]), Shape.vector(4))
      let mask = Tensor(shape: w, values: (0..<144).map { $0 % 2 == 0 ? 1 : 0 })
      let blobs = [
        Tensor(shape: w, repeating: 3), Tensor(shape: b, repeating: 3), mask,
        Tensor(shape: b, repeating: 1),
      ]
      try Caffemodel(
        name: "",
        layers: [LayerBlobs(name: "a", type: "CInnerProduct", blobs: blobs.map { Blob($0) })]
      ).write(to: path)
      let (layers, _) = try SnapshotFiles.weights([path], for: definition())
      #expect(layers[0].arrays[0].tensor.values == mask.values.map { $0 * 3 })
      #expect(layers[0].arrays[0].mask == mask.values.map { $0 == 1 })
      #expect(layers[0].arrays[1].mask == [true, true, true, true])
    }
  }

  // MARK: - Trouble

  @Test func `damaged files are refused with one line`() throws {
    try inFolder { folder in
      for format in [SolverSettings.SnapshotFormat.binary, .hdf5] {
        let paths = try SnapshotFiles.write(snapshot(), prefix: "\(folder)/net", format: format)
        for path in [paths.model, paths.state] {
          let whole = try Data(contentsOf: URL(filePath: path))
          try whole.prefix(whole.count / 2).write(to: URL(filePath: path))
          #expect {
            _ = try SnapshotFiles.read(paths.state, for: definition())
          } throws: {
            !"\($0)".contains("\n") && "\($0)".contains("net_iter_120")
          }
          try whole.write(to: URL(filePath: path))
        }
      }
    }
  }

  @Test func `a folder that can not be written is told before training`() throws {
    try inFolder { folder in
      #expect(throws: Never.self) { try SnapshotFiles.requireWritable(prefix: "\(folder)/x") }
      #expect {
        try SnapshotFiles.requireWritable(prefix: "\(folder)/nowhere/x")
      } throws: {
        "\($0)" == "snapshot_prefix: there is no folder \"\(folder)/nowhere\"; make it first"
          || "\($0)".contains("make it first")
      }
    }
  }

  @Test func `a full disk leaves nothing and takes nothing`() throws {
    // Every write to it fails as on a full disk.
    let full = URL(filePath: "/dev/full")
    guard let handle = try? FileHandle(forWritingTo: full) else { return }
    #expect(throws: (any Error).self) { try handle.write(contentsOf: Data(count: 10)) }
    try inFolder { folder in
      let path = "\(folder)/whole"
      try Data([1]).write(to: URL(filePath: path))
      #expect {
        try WholeFile.create(path) { _ in try handle.write(contentsOf: Data(count: 10)) }
      } throws: {
        "\($0)" == "\(path): can not be written: the disk is full"
      }
      #expect(try Data(contentsOf: URL(filePath: path)) == Data([1]))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["whole"])
    }
  }
}
