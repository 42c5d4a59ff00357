import Foundation
import IR
import Testing

@testable import Caffe

/// Snapshots in the forks' forms, written and read.
struct MaskFormatTests {
  private static let text = """
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 1 dim: 2 dim: 2 } } }
    layer { name: "conv" type: "Convolution" bottom: "x" top: "c"
      convolution_param { num_output: 2 kernel_size: 2 } }
    layer { name: "plain" type: "InnerProduct" bottom: "c" top: "p"
      inner_product_param { num_output: 2 } }
    layer { name: "bare" type: "InnerProduct" bottom: "p" top: "b"
      inner_product_param { num_output: 2 bias_term: false } }
    layer { name: "up" type: "Deconvolution" bottom: "c" top: "u"
      convolution_param { num_output: 1 kernel_size: 1 bias_term: false } }
    """

  private let net: TrainingNet
  private let snapshot: Snapshot

  init() throws {
    let net = try TrainingNetReader.read(
      Prototxt.parse(text: Self.text, file: "n"), state: NetState(phase: .train), dialect: .bvlc
    ) { (_, _, _) throws(Diagnostic) in [] }
    var snapshot = Snapshot(netName: "small", iteration: 3)
    func array(_ extents: [Int], _ values: [Float], _ mask: [Bool]? = nil) throws
      -> Snapshot.LearnedArray
    {
      Snapshot.LearnedArray(Tensor(shape: try Shape(extents), values: values), mask: mask)
    }
    let masked = [true, false, true, true, false, false, true, true]
    let arrays: [String: [Snapshot.LearnedArray]] = [
      "conv": [
        try array([2, 1, 2, 2], [1, 0, 3, 4, 0, 0, 7, 8], masked),
        try array([2], [0, 6], [false, true]),
      ],
      "plain": [try array([2, 2], [1, 2, 3, 4]), try array([2], [5, 6])],
      "bare": [try array([2, 2], [0, 2, 0, 4], [false, true, false, true])],
      "up": [try array([2, 1, 1, 1], [0, 1], [false, true])],
    ]
    for layer in net.layers where !layer.parameters.isEmpty {
      snapshot.layers.append(
        Snapshot.Layer(
          name: layer.name, type: layer.typeName, arrays: try #require(arrays[layer.name])))
    }
    snapshot.denseArrays = [
      Snapshot.DenseArray(
        layer: "conv", index: 0,
        tensor: Tensor(shape: try Shape([2, 1, 2, 2]), values: [1, -2, 3, 4, 5, 6, 7, 8]))
    ]
    (self.net, self.snapshot) = (net, snapshot)
  }

  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "sparsec-masks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private static let files = [SolverSettings.SnapshotFormat.binary, .hdf5]

  @Test(arguments: files, MaskFormat.allCases)
  func `what is written is read`(_ file: SolverSettings.SnapshotFormat, _ masks: MaskFormat) throws
  {
    try inFolder { folder in
      let paths = try SnapshotFiles.write(
        snapshot, prefix: "\(folder)/net", format: file, masks: masks)
      let (again, _) = try SnapshotFiles.read(paths.state, for: net)
      #expect(again.layers == snapshot.layers)
      #expect(again.denseArrays == snapshot.denseArrays)
    }
  }

  @Test(arguments: files) func `dns-y has a mask for each array of a layer`(
    _ file: SolverSettings.SnapshotFormat
  ) throws {
    try inFolder { folder in
      let paths = try SnapshotFiles.write(
        snapshot, prefix: "\(folder)/net", format: file, masks: .original)
      let model = try Caffemodel(contentsOf: paths.model)
      let conv = try #require(model.layer(named: "conv"))
      #expect(
        conv.blobs.map(\.values) == [
          // What is behind the mask is there, too.
          [1, -2, 3, 4, 5, 6, 7, 8], [0, 6], [1, 0, 1, 1, 0, 0, 1, 1], [0, 1],
        ])
      #expect(conv.blobs[2].shape.extents == [2, 1, 2, 2])
      #expect(conv.masks.isEmpty && conv.maskLayout == .weightsAndBias)
      let bare = try #require(model.layer(named: "bare"))
      #expect(bare.blobs.map(\.values) == [[0, 2, 0, 4], [0, 1, 0, 1]])
      // A layer without masks stays one that plain nets take; other types cannot have blobs for masks.
      #expect(model.layer(named: "plain")?.blobs.count == 2)
      #expect(model.layer(named: "up")?.blobs.count == 1)
      #expect(model.layer(named: "up")?.masks == [0: [false, true]])
      guard file == .binary else { return }
      #expect(
        model.layers.map(\.type) == [
          "CConvolution", "InnerProduct", "CInnerProduct", "Deconvolution",
        ])
    }
  }

  @Test(arguments: files) func `dns-h has a mask for the weights only`(
    _ file: SolverSettings.SnapshotFormat
  ) throws {
    try inFolder { folder in
      let paths = try SnapshotFiles.write(
        snapshot, prefix: "\(folder)/net", format: file, masks: .reimplemented)
      let conv = try #require(try Caffemodel(contentsOf: paths.model).layer(named: "conv"))
      #expect(
        conv.blobs.map(\.values) == [
          [1, -2, 3, 4, 5, 6, 7, 8], [0, 6], [1, 0, 1, 1, 0, 0, 1, 1],
        ])
      // The bias's mask has no blob there, and would be lost.
      #expect(conv.masks == [1: [false, true]])
      #expect(conv.type == (file == .binary ? "Convolution" : ""))
    }
  }

  @Test func `a layer of dns-y always has room for its masks`() throws {
    var other = snapshot
    other.layers[1].type = "CInnerProduct"
    let blobs = other.blobs(of: other.layers[1], .original).blobs
    #expect(blobs.map(\.values) == [[1, 2, 3, 4], [5, 6], [1, 1, 1, 1], [1, 1]])
    #expect(other.blobs(of: other.layers[1], .own).blobs.count == 2)
    #expect(other.blobs(of: other.layers[0], .reimplemented).type == "Convolution")
  }

  @Test func `without a type only zeros and ones are taken for masks`() throws {
    func layout(_ blobs: [(extents: [Int], values: [Float])]) throws -> MaskLayout? {
      LayerBlobs(
        name: "a", type: "",
        blobs: try blobs.map { Blob(Tensor(shape: try Shape($0.extents), values: $0.values)) }
      ).maskLayout
    }
    let (weights, bias) = (([1, 2], [3, 4] as [Float]), ([1], [5] as [Float]))
    #expect(try layout([weights, bias, ([1, 2], [0, 1])]) == .weightsBesideBias)
    #expect(try layout([weights, bias, ([1, 2], [0, 1]), ([1], [1])]) == .weightsAndBias)
    // A recurrent layer with as many inputs as outputs; moving averages of one channel.
    #expect(try layout([weights, bias, ([1, 2], [0, 0.5])]) == nil)
    #expect(try layout([([1], [0]), ([1], [1]), ([1], [1])]) == nil)
    #expect(try layout([weights, bias]) == nil)
  }
}
