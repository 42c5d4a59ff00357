import GoldenSupport
import IR
import Passes
import TestSupport
import Testing

/// Layers that only structure passes write, and convolutions that lost columns and filters, compiled in
/// different ways against the reference evaluator: on integers they agree exactly.
struct CompiledStructureTests {
  /// The passes stay out, so that the kernels get what the graphs hold.
  static let variants: [CompiledEngine] = CompiledRandomTests.variants.map { engine in
    var engine = engine
    engine.disablesPasses = true
    return engine
  }

  // MARK: Border biases

  @Test(arguments: 0..<10)
  func `a border bias, with a layer behind it that reads beyond the border`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let extents = [2, random.integer(1...9), random.integer(1...19)]
    var net = try Net(seed: seed, extents: extents)
    var current = try net.add(
      .convolution(Convolution(filters: 3, window: .square(3, pad: 1))), [net.data])
    for index in 0..<3 {
      let spatial = Array(net.graph[current].shape.extents[2...])
      let layer = BorderBias(
        classes: spatial.map { Self.classes($0, &random) },
        activation: [nil, .relu(slope: 0), .relu(slope: 2)][(seed + index) % 3])
      let onlyBorder = try net.borders(layer, channels: 3, hasQuietMiddle: random.chance(0.6))
      current = try net.add(.borderBias(layer), [current], [onlyBorder])
      if index == 1 {
        current = try net.add(
          .convolution(Convolution(filters: 3, window: .square(5, pad: 2))), [current])
      }
    }
    try expectExact(net, current, seed: seed)
  }

  /// Classes of positions: borders of some width around a middle, or anything.
  static func classes(_ count: Int, _ random: inout SeededGenerator) -> [Int] {
    let low = random.integer(0...2)
    let high = random.integer(0...2)
    let isAny = random.chance(0.2)
    let wanted = (0..<count).map { position in
      if isAny { return random.integer(0...2) }
      return position < low ? position : position >= count - high ? count - position + 9 : 5
    }
    // Classes count from 0 without gaps, in the order in which they come up.
    var seen: [Int] = []
    return wanted.map { one in
      if let index = seen.firstIndex(of: one) { return index }
      seen.append(one)
      return seen.count - 1
    }
  }

  @Test(
    arguments: [[7], [4, 5, 9], [2, 3, 2, 11], []], [nil, ElementwiseFunction.relu(slope: 0)])
  func `a border bias over any number of axes`(
    spatial: [Int], activation: ElementwiseFunction?
  ) throws {
    for seed in 0..<2 {
      var random = SeededGenerator(seed: UInt64(spatial.count * 2 + seed))
      var net = try Net(seed: seed, extents: [4] + spatial)
      let layer = BorderBias(
        classes: spatial.map { Self.classes($0, &random) }, activation: activation)
      let bias = try net.borders(layer, channels: 4, hasQuietMiddle: seed == 0)
      let flipped = try net.add(.elementwise(Elementwise(.absoluteValue)), [net.data])
      let current = try net.add(.borderBias(layer), [flipped], [bias])
      try expectExact(net, current, seed: spatial.count + seed)
    }
  }

  @Test func `a border bias into a Concat, and one whose input others read`() throws {
    for seed in 0..<Self.variants.count {
      var random = SeededGenerator(seed: UInt64(seed))
      var net = try Net(seed: seed, extents: [2, 6, 10])
      let first = try net.add(
        .convolution(Convolution(filters: 4, window: .square(3, pad: 1))), [net.data])
      let layer = BorderBias(classes: [6, 10].map { Self.classes($0, &random) })
      let second = try net.add(
        .borderBias(layer), [first], [try net.borders(layer, channels: 4, hasQuietMiddle: true)])
      let joined = try net.add(.concat(Concat(axis: 1)), [first, second, net.data])
      let last = try net.add(
        .convolution(Convolution(filters: 3, window: .square(3, pad: 1))), [joined])
      try expectExact(net, last, seed: seed)
    }
  }

  // MARK: Constants

  @Test(arguments: 0..<10)
  func `a constant for layers that pad, join and add, and as an output`(seed: Int) throws {
    var net = try Net(seed: seed, extents: [3, 5, 7])
    let constant = try net.add(.constant(Constant(extents: [3, 5, 7])), [net.data])
    let padded = try net.add(
      .convolution(Convolution(filters: 4, window: .square(3, pad: 1))), [constant])
    let sum = try net.add(
      .eltwise(Eltwise(.sum(coefficients: [1, -2]))), [net.data, constant])
    let joined = try net.add(.concat(Concat(axis: 1)), [sum, constant, padded])
    let strided = Window(kernel: [3, 3], stride: [2, 2], pad: [1, 1], dilation: [1, 1])
    let last = try net.add(.convolution(Convolution(filters: 2, window: strided)), [joined])
    let alone = try net.add(.constant(Constant(extents: [5])), [last])
    let number = try net.add(.constant(Constant(extents: [])), [sum])
    net.outputs = [constant, alone, number]
    try expectExact(net, last, seed: seed)
  }

  @Test func `a batch of its own size has a copy of a constant for every item`() throws {
    for seed in 0..<Self.variants.count {
      var net = try Net(seed: seed, items: 3, extents: [2, 4, 5])
      let constant = try net.add(.constant(Constant(extents: [2, 4, 5])), [net.data])
      let padded = try net.add(
        .convolution(Convolution(filters: 2, window: .square(3, pad: 1))), [constant])
      let sum = try net.add(.eltwise(Eltwise(.sum(coefficients: [1, 1]))), [padded, net.data])
      // Items are mixed, which fixes their number.
      let last = try net.add(.concat(Concat(axis: 0)), [sum, constant])
      try expectExact(net, last, seed: seed)
    }
  }

  // MARK: Local response normalisation

  @Test(arguments: 0..<10)
  func `channels that are gone keep their place in the windows of the others`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let channels = random.integer(1...9)
    var net = try Net(seed: seed, extents: [channels, 3, random.integer(1...11)])
    var position = random.integer(0...2)
    let positions = (0..<channels).map { _ in
      position += random.integer(1...3)
      return position - 1
    }
    let layer = LRN(
      size: [1, 3, 5, 7][seed % 4], alpha: 0.5, beta: seed % 2 == 0 ? 0.75 : 0.5, k: 2,
      region: .acrossChannels, positions: positions)
    let removed = Tensor.random(.vector(channels), .integers(limit: 2), &random)
    let squares = Tensor(shape: removed.shape, values: removed.values.map { $0 * $0 })
    let current = try net.add(.lrn(layer), [net.data], [squares])
    let last = try net.add(
      .convolution(Convolution(filters: 2, window: .square(3, pad: 1))), [current])
    try expectAgreement(net, last, seed: seed, tolerance: 1e-5)
  }

  // MARK: Convolutions

  @Test(arguments: 0..<20)
  func `groups that lost different filters and columns`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let groups = random.integer(1...3)
    let (channels, filters) = (random.integer(1...4), random.integer(1...15))
    var net = try Net(
      seed: seed,
      extents: [groups * channels, random.integer(3...12), random.integer(3...20)])
    let kernel = random.integer(1...3)
    let stride = seed % 4 == 3 ? 2 : 1
    let window = Window(
      kernel: [kernel, kernel], stride: [stride, stride], pad: [kernel / 2, kernel / 2],
      dilation: [1, 1])
    let layer = Convolution(
      filters: groups * filters, window: window, groups: groups, hasBias: random.chance(0.7),
      activation: [nil, .relu(slope: 0), .relu(slope: 2)][seed % 3])
    let weights = Self.pruned(groups, filters, channels * kernel * kernel, &random)
    let shape = try Shape([groups * filters, channels, kernel, kernel])
    let biases = Tensor.random(.vector(groups * filters), .integers(limit: 2), &random)
    let current = try net.add(
      .convolution(layer), [net.data],
      [Tensor(shape: shape, values: weights)] + (layer.hasBias ? [biases] : []))
    let last = try net.add(
      .convolution(Convolution(filters: 2, window: .square(3, pad: 1))), [current])
    for kernel in ["convolution_columns", "convolution_dense", "convolution_sparse"] {
      var engine = Self.variants[seed % Self.variants.count]
      engine.preferredKernels = [kernel]
      try expectExact(net, last, seed: seed, engine: engine)
    }
  }

  /// Weights of groups, of each of which other filters, other columns and single weights are zero; of some
  /// all.
  private static func pruned(
    _ groups: Int, _ filters: Int, _ columns: Int, _ random: inout SeededGenerator
  ) -> [Float] {
    (0..<groups).flatMap { _ -> [Float] in
      let isGone = random.chance(0.15)
      let deadColumns = (0..<columns).map { _ in random.chance(0.4) }
      let share = [0, 0.5, 0.9][random.integer(0...2)]
      return (0..<filters).flatMap { _ -> [Float] in
        let isDead = isGone || random.chance(0.3)
        return deadColumns.map {
          isDead || $0 || random.chance(share) ? 0 : Float(random.integer(1...2))
        }
      }
    }
  }

  // MARK: Comparison

  private func expectExact(
    _ net: Net, _ output: ValueID, seed: Int, engine: CompiledEngine? = nil
  ) throws {
    try expectAgreement(net, output, seed: seed, engine: engine, tolerance: 0)
  }

  /// Compiles a net and compares all blobs with the evaluator's.
  private func expectAgreement(
    _ net: Net, _ output: ValueID, seed: Int, engine: CompiledEngine? = nil, tolerance: Double
  ) throws {
    var graph = net.graph
    graph.setOutputs([output] + net.outputs)
    try graph.settleBatch()
    try graph.verify()
    var random = SeededGenerator(seed: UInt64(seed) &+ 99)
    var shape = graph[graph.inputs[0]].shape
    if graph.batch == .perItem { shape = try shape.replacing(axis: 0, with: 1 + seed % 3) }
    let inputs = ["data": Tensor.random(shape, .integers(limit: 3), &random)]
    let expected = try referenceEngine(graph, inputs)
    let engine = engine ?? Self.variants[seed % Self.variants.count]
    let compiled = try engine(graph, inputs)
    for output in graph.outputs { #expect(compiled.final[graph[output].name] != nil) }
    for (key, tensor) in compiled.layers.sorted(by: { $0.key < $1.key }) {
      let wanted = try #require(expected.layers[key], "\(key) is no blob of the network")
      #expect(tensor.shape == wanted.shape, "\(key)")
      let error = zip(tensor.values, wanted.values).map { abs($0 - $1) / max(abs($1), 1) }.max()
      #expect(Double(error ?? 0) <= tolerance, "\(key)\n\(graph)")
    }
  }
}

/// A graph with one input; parameters are small integers where none are given.
private struct Net {
  var graph: Graph
  let data: ValueID
  /// Outputs beside the last value.
  var outputs: [ValueID] = []
  var random: SeededGenerator

  init(seed: Int, items: Int = 2, extents: [Int]) throws {
    graph = Graph(name: "net \(seed)")
    data = graph.addInput(name: "data", shape: try Shape([items] + extents))
    random = SeededGenerator(seed: UInt64(seed) &+ 31)
  }

  mutating func add(
    _ operation: Operation, _ inputs: [ValueID], _ parameters: [Tensor]? = nil
  ) throws -> ValueID {
    let slots = try operation.layer.parameters(for: inputs.map { graph[$0].shape })
    let made = slots.map { Tensor.random($0.shape, .integers(limit: 2), &random) }
    let name = "\(operation.layer.typeName)\(graph.order.count)"
    let node = try graph.append(
      operation, name: name, inputs: inputs, parameters: parameters ?? made, outputNames: [name])
    return graph[node].outputs[0]
  }

  /// Biases of a layer; with a quiet middle they are zero at the classes that most positions have.
  mutating func borders(_ layer: BorderBias, channels: Int, hasQuietMiddle: Bool) throws -> Tensor {
    let shape = try Shape([channels] + layer.counts)
    var values = Tensor.random(shape, .integers(limit: 3), &random).values
    let middle = layer.classes.map { classes in
      (0...(classes.max() ?? 0)).max { a, b in
        classes.count { $0 == a } < classes.count { $0 == b }
      } ?? 0
    }
    let place = zip(middle, layer.counts).reduce(0) { $0 * $1.1 + $1.0 }
    let perChannel = layer.counts.reduce(1, *)
    for channel in 0..<channels where hasQuietMiddle { values[channel * perChannel + place] = 0 }
    return Tensor(shape: shape, values: values)
  }
}

extension Window {
  /// A square window with stride 1.
  fileprivate static func square(_ kernel: Int, pad: Int) -> Window {
    Window(
      kernel: [kernel, kernel], stride: [1, 1], pad: [pad, pad], dilation: [1, 1])
  }
}
