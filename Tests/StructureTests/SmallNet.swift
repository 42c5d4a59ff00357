import IR
import Passes
import TestSupport
import Testing

/// A network by hand: no weight is zero but those that a test asks for, and all numbers are small integers.
struct SmallNet {
  var graph = Graph(name: "net")
  let data: ValueID
  private var random = SeededGenerator(seed: 11)

  /// A network with one input of two items.
  init(channels: Int = 2, _ height: Int = 7, _ width: Int = 6) throws {
    data = graph.addInput(name: "data", shape: try Shape([2, channels, height, width]))
  }

  /// The weights of a layer [filters, channels / groups, taps...].
  private mutating func weights(_ extents: [Int]) throws -> Tensor {
    let shape = try Shape(extents)
    return Tensor(
      shape: shape, values: (0..<shape.count).map { _ in random.pick([-2, -1, 1, 2] as [Float]) })
  }

  /// 1, 2, 3…
  static func rising(_ count: Int) -> [Float] { (0..<count).map { Float($0 + 1) } }

  mutating func add(
    _ operation: Operation, _ name: String, _ inputs: [ValueID], _ parameters: [Tensor] = []
  ) throws -> ValueID {
    let count = try operation.layer.outputShapes(for: inputs.map { graph[$0].shape }).count
    let node = try graph.append(
      operation, name: name, inputs: inputs, parameters: parameters,
      outputNames: (0..<count).map { $0 == 0 ? name : "\(name)_\($0)" })
    return graph[node].outputs[0]
  }

  /// A convolution that keeps the extent if its stride is 1. The filters in `dead` and the weights for the
  /// channels in `deaf` (counted within a group) are zero; the bias is `bias`, else 1, 2, 3…
  mutating func convolution(
    _ name: String, _ input: ValueID, _ filters: Int, kernel: Int = 3, stride: Int = 1,
    pad: Int? = nil, dilation: Int = 1, groups: Int = 1, dead: Set<Int> = [],
    deaf: Set<Int> = [], bias: [Float]? = nil
  ) throws -> ValueID {
    let pad = pad ?? kernel / 2 * dilation
    let window = Window(
      kernel: [kernel, kernel], stride: [stride, stride], pad: [pad, pad],
      dilation: [dilation, dilation])
    let channels = graph[input].shape[1] / groups
    let dense = try weights([filters, channels, kernel, kernel])
    let values = dense.values.enumerated().map { index, value in
      let (filter, column) = index.quotientAndRemainder(dividingBy: channels * window.taps)
      return dead.contains(filter) || deaf.contains(column / window.taps) ? 0 : value
    }
    return try add(
      .convolution(Convolution(filters: filters, window: window, groups: groups)), name, [input],
      [
        Tensor(shape: dense.shape, values: values),
        Tensor(shape: .vector(filters), values: bias ?? Self.rising(filters)),
      ])
  }

  mutating func relu(_ name: String, _ input: ValueID) throws -> ValueID {
    try add(.elementwise(Elementwise(.relu(slope: 0))), name, [input])
  }

  mutating func pooling(
    _ name: String, _ input: ValueID, _ reduction: Pooling.Reduction, kernel: Int = 2,
    stride: Int = 2, pad: Int = 0, rounding: Rounding = .up, startsAtZero: Bool = false
  ) throws -> ValueID {
    let window = Window(
      kernel: [kernel, kernel], stride: [stride, stride], pad: [pad, pad], dilation: [1, 1])
    let layer = Pooling(
      reduction: reduction, window: window, rounding: rounding, startsAtZero: startsAtZero)
    return try add(.pooling(layer), name, [input])
  }

  /// The exponent is 1, so that the result is a polynomial.
  mutating func lrn(_ name: String, _ input: ValueID, _ region: LRN.Region) throws -> ValueID {
    let layer = LRN(
      size: 3, alpha: region == .acrossChannels ? 3 : 9, beta: -1, k: 2, region: region)
    return try add(.lrn(layer), name, [input])
  }

  mutating func scale(_ name: String, _ input: ValueID, _ scale: [Float], _ bias: [Float]) throws
    -> ValueID
  {
    try add(
      .scale(Scale(hasBias: true)), name, [input],
      [scale, bias].map { Tensor(shape: .vector($0.count), values: $0) })
  }

  /// Subtracts 1 and divides by 2.
  mutating func batchNorm(_ name: String, _ input: ValueID) throws -> ValueID {
    let channels = Shape.vector(graph[input].shape[1])
    return try add(
      .batchNorm(BatchNorm(epsilon: 0.25)), name, [input],
      [
        Tensor(shape: channels, repeating: 1), Tensor(shape: channels, repeating: 3.75),
        Tensor(shape: .vector(1), repeating: 1),
      ])
  }

  mutating func eltwise(_ name: String, _ inputs: [ValueID], _ combination: Eltwise.Combination)
    throws -> ValueID
  {
    try add(.eltwise(Eltwise(combination)), name, inputs)
  }

  mutating func sum(_ name: String, _ a: ValueID, _ b: ValueID) throws -> ValueID {
    try eltwise(name, [a, b], .sum(coefficients: [1, 1]))
  }

  mutating func concat(_ name: String, _ inputs: [ValueID], axis: Int = 1) throws -> ValueID {
    try add(.concat(Concat(axis: axis)), name, inputs)
  }

  mutating func innerProduct(
    _ name: String, _ input: ValueID, _ outputs: Int, isTransposed: Bool = false
  ) throws -> ValueID {
    let columns = graph[input].shape.count(from: 1)
    let layer = InnerProduct(outputs: outputs, isTransposed: isTransposed)
    return try add(
      .innerProduct(layer), name, [input],
      [
        try weights(isTransposed ? [columns, outputs] : [outputs, columns]),
        Tensor(shape: .vector(outputs), values: Self.rising(outputs)),
      ])
  }
}

/// Folds the network in every way, and checks that not a bit of it changes: per item and with a fixed
/// batch, by all passes, for Caffe, and by each structure pass alone.
func fold(
  _ outputs: [ValueID], of smallNet: SmallNet,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws -> FoldedNet {
  var fixed = smallNet.graph
  fixed.setOutputs(outputs)
  fixed.batch = .fixed(because: "a test wants it")
  var single = fixed
  try single.settleBatch()
  for net in [fixed, single] {
    let items = net.batch == .perItem ? 3 : 2
    let inputs = try inputs(of: net, items)
    let old = try ExactEvaluation(net, inputs: inputs)
    for rewrite in Rewrite.all {
      let after = try rewrite(net).graph
      let new = try ExactEvaluation(after, inputs: inputs)
      let comparison = GraphComparison(net, old, after, new, tolerance: 0)
      let what = "\(rewrite), \(items) items, rounding \(old.roundings) \(new.roundings)"
      #expect(comparison.isExact, "\(what)", sourceLocation: sourceLocation)
      #expect(
        comparison.differences == [], "\(what)\n\(net)\n\(after)",
        sourceLocation: sourceLocation)
    }
  }
  return try FoldedNet(single)
}

private func inputs(of net: Graph, _ items: Int) throws -> [ValueID: Tensor] {
  var random = SeededGenerator(seed: 5)
  var inputs: [ValueID: Tensor] = [:]
  for input in net.inputs {
    let shape = try net[input].shape.replacing(axis: 0, with: items)
    inputs[input] = .random(shape, .integers(limit: 3), &random)
  }
  return inputs
}

/// What became of a network.
struct FoldedNet {
  /// After the structure passes.
  let folded: Graph
  /// After the structure passes that write only what Caffe has.
  let forCaffe: Graph
  /// After all passes.
  let compiled: Graph
  let findings: [Finding]
  let findingsForCaffe: [Finding]

  init(_ graph: Graph) throws {
    func run(_ stages: [PassStage]) throws -> (Graph, [Finding]) {
      let (graph, reports) = try PassManager(stages: stages).run(graph)
      return (graph, reports.flatMap(\.findings))
    }
    (folded, findings) = try run([Pipeline.structure(vocabulary: .everything)])
    (forCaffe, findingsForCaffe) = try run([Pipeline.structure(vocabulary: .caffe)])
    (compiled, _) = try run(Pipeline.standard)
  }

  /// The names of the layers that are left, in order.
  var layers: [String] { folded.order.map { folded[$0].name } }

  /// The types of the layers that are left, in order.
  var types: [String] { Self.types(of: folded) }

  static func types(of graph: Graph) -> [String] {
    graph.order.map { graph[$0].operation.layer.typeName }
  }

  /// A layer by name, in the folded graph.
  func layer(_ name: String) throws -> Node { try Self.layer(name, in: folded) }

  static func layer(_ name: String, in graph: Graph) throws -> Node {
    let id = try #require(graph.order.first { graph[$0].name == name }, "\(name) is gone")
    return graph[id]
  }

  /// The shape of a layer's first parameter: [filters, channels, taps…] of a convolution.
  func weights(_ name: String) throws -> [Int] {
    try #require(try layer(name).parameters.first).shape.extents
  }

  static func weights(_ name: String, in graph: Graph) throws -> [Int] {
    try #require(try layer(name, in: graph).parameters.first).shape.extents
  }
}
