import IR

/// A small random network: chains, residual and inception blocks, fan-out, layers of every type,
/// and weights with the zeros that pruning leaves.
///
/// The same seed and options give the same network. The graph is verified, and its batch is
/// settled: a graph that can be evaluated per item has the shapes of one.
public struct RandomNetwork: Sendable {
  /// What may occur.
  public struct Options: Sendable {
    /// Whether all weights and inputs are small integers, and all values integers below 2^24: every
    /// correct evaluation then has the same bits, whatever its order of summation.
    public var isExact = false
    /// Whether an exact network may hold fractions too: halves, quarters… Most stay exact, but not all: see
    /// `ExactEvaluation`.
    public var hasFractions = false
    /// Whether steps may occur (Threshold, ArgMax, positions of maxima), which turn a rounding
    /// error into a large one. Harmless if the network is exact.
    public var hasSteps = false
    /// Whether layers may mix the items of a batch.
    public var mixesItems = false
    /// The number of items in the shapes the network is built with.
    public var items = 2
    /// The number of blocks between input and head.
    public var blocks = 2...6
    /// The blocks to choose from.
    public var kinds = Block.allCases
    /// The zero patterns of weights to choose from.
    public var zeros = ZeroPattern.allCases
    /// The share of layers whose zeros leave something for structure passes to do, whatever `zeros` says:
    /// whole filters, channels, groups, layers; filters together with those who read them; scales of zero.
    public var structuredZeros = 0.0
    /// The share of convolutions that could have their weights in the Winograd domain that do. Not for exact networks.
    public var transforms = 0.0
    /// The extents of the image.
    public var image = 5...13
    /// How the network ends.
    public var heads = Head.allCases

    public init() {}
  }

  public internal(set) var graph: Graph
  public let options: Options
  var random: SeededGenerator
  /// The end of the trunk.
  var current: ValueID
  /// An upper bound of the magnitude of each value, for exact networks.
  private var bounds: [ValueID: Double] = [:]
  private var layerCount = 0
  /// The dead filters of the layer that was made last, for a layer that reads them.
  private var deadFilters: (filters: Int, dead: Set<Int>) = (0, [])

  /// The network of a seed. An error is a mistake of the generator.
  public init(seed: UInt64, options: Options = Options()) throws {
    self.options = options
    random = SeededGenerator(seed: seed)
    graph = Graph(name: "random \(seed)")
    let extents = [
      options.items, random.integer(1...4) * 2, random.integer(options.image),
      random.integer(options.image),
    ]
    current = graph.addInput(name: "data", shape: try Shape(extents))
    bounds[current] = Double(Self.inputLimit)
    for _ in 0..<random.integer(options.blocks) {
      let block = random.pick(options.kinds.filter { isAllowed($0) })
      try append(block)
    }
    try append(random.pick(options.heads.filter { isAllowed($0) }))
    finish()
    try graph.settleBatch()
    try graph.verify()
  }

  /// Random inputs that fit the graph, as `Evaluator` takes them; of `items` items, if it is
  /// evaluated per item.
  public func inputs(seed: UInt64, items: Int = 1) throws(ShapeError) -> [ValueID: Tensor] {
    var random = SeededGenerator(seed: seed)
    var inputs: [ValueID: Tensor] = [:]
    for input in graph.inputs {
      var shape = graph[input].shape
      if graph.batch == .perItem { shape = try shape.replacing(axis: 0, with: items) }
      inputs[input] = .random(
        shape, options.isExact ? .integers(limit: Self.inputLimit) : .real(limit: 1), &random)
    }
    return inputs
  }

  private static let inputLimit = 3

  // MARK: For the blocks

  func shape(_ value: ValueID) -> Shape { graph[value].shape }

  /// Appends a layer to `inputs` and returns its first output.
  ///
  /// `growth` bounds the output's magnitude by the inputs'. In an exact network a value that might
  /// become too large for exact sums is clipped behind the layer.
  mutating func add(
    _ operation: Operation, to inputs: [ValueID], _ parameters: [Tensor] = [],
    inPlace: Bool = false, growth: (Double) -> Double = { $0 }
  ) throws -> ValueID {
    guard let output = try addAll(operation, to: inputs, parameters, inPlace: inPlace).first else {
      preconditionFailure("the layer has an output")
    }
    let bound = growth(inputs.compactMap { bounds[$0] }.max() ?? Double(Self.inputLimit))
    bounds[output] = bound
    guard options.isExact, bound > 1024 else { return output }
    return try add(
      .elementwise(Elementwise(.clip(low: -4, high: 4))), to: [output], inPlace: true,
      growth: { _ in 4 })
  }

  /// As `add`, for layers with any number of outputs, which are no larger than the inputs.
  mutating func addAll(
    _ operation: Operation, to inputs: [ValueID], _ parameters: [Tensor] = [],
    inPlace: Bool = false
  ) throws -> [ValueID] {
    layerCount += 1
    let name = "\(operation.layer.typeName.lowercased())\(layerCount)"
    let count = try operation.layer.outputShapes(for: inputs.map { shape($0) }).count
    // A layer in place writes a blob of its input's name.
    let names =
      inPlace && count == 1
      ? [graph[inputs[0]].name] : (0..<count).map { $0 == 0 ? name : "\(name)_\($0)" }
    let node = try graph.append(
      operation, name: name, inputs: inputs, parameters: parameters, outputNames: names)
    for output in graph[node].outputs { bounds[output] = inputs.compactMap { bounds[$0] }.max() }
    return graph[node].outputs
  }

  /// Weights [filters, channels / groups, taps...] with a random zero pattern; real ones keep the magnitude
  /// of sums over `fanIn` inputs.
  mutating func weights(_ extents: [Int], fanIn: Int, groups: Int = 1) throws -> Tensor {
    let limit = (3 / Float(fanIn)).squareRoot() * 1.5
    let tensor = Tensor.random(
      try Shape(extents), options.isExact ? .integers(limit: 2) : .real(limit: limit), &random)
    guard random.chance(options.structuredZeros) else {
      return random.pick(options.zeros).applied(to: tensor, groups: groups, &random)
    }
    let readers =
      random.chance(0.5) ? clearingReaders(of: deadFilters.dead, tensor, groups) : tensor
    let result = random.pick(ZeroPattern.structured).applied(
      to: readers, groups: groups, &random)
    deadFilters = (extents[0], Self.deadFilters(of: result))
    return result
  }

  /// Filters that died together with the channels that read them, as group-wise pruning leaves them.
  private func clearingReaders(of dead: Set<Int>, _ weights: Tensor, _ groups: Int) -> Tensor {
    let (filters, channels) = (weights.shape[0], weights.shape[1])
    guard deadFilters.filters == channels * groups else { return weights }
    let taps = weights.count / filters / channels
    let values = weights.values.enumerated().map { index, value in
      let (filter, column) = index.quotientAndRemainder(dividingBy: channels * taps)
      let channel = filter * groups / filters * channels + column / taps
      return dead.contains(channel) ? 0 : value
    }
    return Tensor(shape: weights.shape, values: values)
  }

  private static func deadFilters(of weights: Tensor) -> Set<Int> {
    let size = weights.count / weights.shape[0]
    return Set(
      (0..<weights.shape[0]).filter { filter in
        weights.values[filter * size..<(filter + 1) * size].allSatisfy { $0 == 0 }
      })
  }

  /// One number per filter, channel…; some, or all, are zero. `wholly` is the share of vectors that are.
  mutating func vector(_ shape: Shape, zeros: Double = 0.3, wholly: Double = 0.2) -> Tensor {
    let tensor = Tensor.random(
      shape, options.isExact ? .integers(limit: 2) : .real(limit: 1), &random)
    let share = random.chance(wholly) ? 1 : max(zeros, options.structuredZeros * 0.3)
    return Tensor(shape: shape, values: tensor.values.map { random.chance(share) ? 0 : $0 })
  }

  /// Numbers in 0.5 ... 1.5, or ones and twos.
  mutating func positiveVector(_ shape: Shape) -> Tensor {
    let values = (0..<shape.count).map { _ in
      options.isExact
        ? Float(random.integer(1...2)) : Float.random(in: 0.5...1.5, using: &random)
    }
    return Tensor(shape: shape, values: values)
  }

  /// What nobody reads is an output.
  private mutating func finish() {
    let readers = graph.consumerTable()
    graph.setOutputs(graph.liveValues.filter { readers[$0] == nil })
  }
}
