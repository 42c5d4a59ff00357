import IR
import TestSupport
import Testing

struct BatchTests {
  private static let image = [2, 3, 4, 5]

  /// Layers with the extents of their inputs, all of which have a batch axis, and why they mix items.
  private static let rules: [(layer: any Layer, inputs: [[Int]], reason: String?)] = [
    (Convolution(filters: 1, window: .square(1)), [image], nil),
    (
      Convolution(filters: 1, window: Window(kernel: [1, 1, 1]), axis: 0), [image],
      "it convolves along axis 0"
    ),
    (
      Deconvolution(filters: 1, window: Window(kernel: [1, 1, 1]), axis: -4), [image],
      "it convolves along axis 0"
    ),
    (
      Im2col(window: Window(kernel: [1, 1, 1]), axis: 0), [image],
      "it gathers patches along axis 0"
    ),
    (InnerProduct(outputs: 1), [image], nil),
    (InnerProduct(outputs: 1, axis: -4), [image], "it flattens axis 0"),
    (Flatten(axis: 1), [image], nil),
    (Flatten(axis: 0), [image], "it flattens axis 0"),
    (Flatten(axis: 0, endAxis: 0), [image], nil),
    (Reshape(extents: [0, -1]), [image], nil),
    (Reshape(extents: [2, -1]), [image], "it reshapes axis 0"),
    (Reshape(extents: [-1, 60]), [image], "it reshapes axis 0"),
    (Reshape(extents: [-1], axis: 1), [image], nil),
    (Reshape(extents: [1], axis: 0, replacedAxes: 0), [image], "it reshapes axis 0"),
    (Concat(), [image, image], nil),
    (Concat(axis: 0), [image, image], "it concatenates along axis 0"),
    (Concat(axis: -4), [image, image], "it concatenates along axis 0"),
    (Slice(parts: 3), [image], nil),
    (Slice(axis: 0, parts: 2), [image], "it slices axis 0"),
    (Tile(tiles: 2), [image], nil),
    (Tile(axis: 0, tiles: 2), [image], "it tiles axis 0"),
    (Softmax(), [image], nil),
    (Softmax(axis: -4), [image], "it normalises along axis 0"),
    (Reduction(axis: 1), [image], nil),
    (Reduction(), [image], "it reduces axis 0"),
    (ArgMax(), [image], nil),
    (ArgMax(axis: 0), [image], "it searches along axis 0"),
    (Crop(), [image, image], nil),
    (Crop(axis: 0), [image, image], "it crops axis 0"),
    (BatchReindex(), [image, [2]], "it gathers items of the batch"),
    (BatchNorm(), [image], nil),
    (
      BatchNorm(usesStoredStatistics: false), [image],
      "it normalises by the statistics of the batch"
    ),
    (Scale(), [image], nil),
    (Scale(axis: 0), [image], "its learned array covers axis 0"),
    (Scale(axis: 0, spannedAxes: 0), [image], nil),
    (Scale(axis: 0), [image, [2, 3]], nil),
    (Scale(axis: 0, hasBias: true), [image, [2, 3]], "its bias covers axis 0"),
    (Scale(axis: 1), [image, [3]], "its second input has a batch axis of its own"),
    (Bias(axis: -4), [image], "its learned array covers axis 0"),
    (Bias(axis: 0), [image, [2]], nil),
    (Pooling(reduction: .max, window: .square(2)), [image], nil),
    (SpatialPyramidPooling(height: 2, reduction: .max), [image], nil),
    (LRN(region: .acrossChannels), [image], nil),
    (MVN(), [image], nil),
    (Elementwise(.tanh), [image], nil),
    (PReLU(), [image], nil),
    (Eltwise(.maximum), [image, image], nil),
    (Embed(outputs: 2, rows: 3), [[2]], nil),
    (Identity(of: "Dropout"), [image], nil),
    (Split(copies: 2), [image], nil),
    (Silence(), [image], nil),
  ]

  @Test(arguments: rules.indices)
  func `a layer says whether items of a batch meet`(index: Int) throws {
    let (layer, inputs, reason) = Self.rules[index]
    let shapes = try inputs.map { try Shape($0) }
    let rule = layer.batchRule(for: shapes.map { BatchedShape($0, isBatched: true) })
    #expect(rule == reason.map { .mixes(because: $0) } ?? .perItem, "\(layer)")
    let constant = layer.batchRule(for: shapes.map { BatchedShape($0, isBatched: false) })
    #expect(constant == .constant, "\(layer)")
    if reason == nil, layer.inputCounts.lowerBound <= inputs.count {
      // A layer that leaves axis 0 alone gives each item what it gives that item by itself.
      let outputs = try layer.outputShapes(for: shapes)
      let single = try layer.outputShapes(for: shapes.map { try $0.replacing(axis: 0, with: 1) })
      #expect(try outputs.map { try $0.replacing(axis: 0, with: 1) } == single, "\(layer)")
    }
  }

  @Test func `a constant does not meet a batch element by element`() throws {
    let shape = try Shape(Self.image)
    let mixed = [BatchedShape(shape, isBatched: true), BatchedShape(shape, isBatched: false)]
    let reason = "it combines a blob of one item with one of the whole batch"
    #expect(Eltwise(.maximum).batchRule(for: mixed) == .mixes(because: reason))
    #expect(Concat().batchRule(for: mixed) == .mixes(because: reason))
    // Crop takes only the extents of its second input, BatchReindex any rows.
    #expect(Crop().batchRule(for: mixed) == .perItem)
    #expect(Crop().batchRule(for: mixed.reversed()) == .constant)
    let channels = BatchedShape(.vector(3), isBatched: false)
    #expect(Scale(axis: 1).batchRule(for: [mixed[0], channels]) == .perItem)
    #expect(
      Scale(axis: 1).batchRule(for: [mixed[1], BatchedShape(.vector(3), isBatched: true)])
        == .mixes(because: "only its second input has a batch axis"))
    #expect(
      Scale(axis: 0).batchRule(for: [mixed[0], BatchedShape(.vector(2), isBatched: false)])
        == .mixes(because: "its second input covers axis 0"))
  }

  @Test func `a graph says why its batch is fixed`() throws {
    var graph = Graph(name: "net")
    #expect(graph.analysedBatch() == .fixed(because: "it has no inputs"))
    let data = graph.addInput(name: "data", shape: try Shape([4, 6]))
    #expect(graph.analysedBatch() == .perItem)
    var mixing = graph
    try mixing.append(
      .concat(Concat(axis: 0)), name: "both", inputs: [data, data], outputNames: ["both"])
    #expect(
      mixing.analysedBatch() == .fixed(because: "layer both: it concatenates along axis 0"))
    try mixing.settleBatch()
    #expect(mixing[data].shape.extents == [4, 6])
    var other = graph
    other.addInput(name: "more", shape: try Shape([3]))
    #expect(
      other.analysedBatch() == .fixed(because: "inputs data and more disagree about axis 0"))
    graph.addInput(name: "rate", shape: .scalar)
    #expect(graph.analysedBatch() == .fixed(because: "an input has no axes"))
  }

  @Test(arguments: 0..<60)
  func `settling makes the graph of one item, or leaves it alone`(seed: UInt64) throws {
    var options = RandomNetwork.Options()
    options.items = 3
    options.mixesItems = seed % 2 == 0
    let settled = try RandomNetwork(seed: seed, options: options).graph
    let isPerItem = settled.batch == .perItem
    for input in settled.inputs { #expect(settled[input].shape[0] == (isPerItem ? 1 : 3)) }
    var again = settled
    try again.settleBatch()
    #expect(again == settled)
    guard isPerItem else { return }
    var grown = settled
    var shapes: [ValueID: Shape] = [:]
    for input in grown.inputs {
      shapes[input] = try grown[input].shape.replacing(axis: 0, with: 5)
    }
    try grown.reshapeInputs(shapes)
    try grown.verify()
    for output in grown.outputs where grown[output].shape != settled[output].shape {
      let shape = settled[output].shape
      #expect(grown[output].shape == (try shape.replacing(axis: 0, with: 5)))
    }
  }
}
