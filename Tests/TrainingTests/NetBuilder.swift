import IR
import TestSupport

/// Builds small nets layer by layer; shapes and parameters follow from the layers.
struct NetBuilder {
  private(set) var layers: [TrainingLayer] = []
  private(set) var inputs: [String: Tensor] = [:]
  private var shapes: [String: Shape] = [:]
  var random: SeededGenerator
  var forcesBackward = true
  var phase = TrainingNet.Phase.train

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// An input of random numbers, or of given ones.
  mutating func input(
    _ name: String, _ extents: [Int], _ numbers: RandomNumbers = .real(limit: 1),
    values: [Float]? = nil
  ) throws {
    let shape = try Shape(extents)
    inputs[name] =
      values.map { Tensor(shape: shape, values: $0) } ?? .random(shape, numbers, &random)
    shapes[name] = shape
    layers.append(
      TrainingLayer(
        name: "input \(name)", typeName: "Input", operation: .data(.input(shapes: [shape])),
        bottoms: [], tops: [name], inputShapes: [], outputShapes: [shape]))
  }

  mutating func add(
    _ operation: Operation, _ name: String, _ bottoms: [String], _ tops: [String]? = nil,
    lossWeights: [Float]? = nil, shared: [String] = [], rates: [Float] = [],
    limit: Float = 1, perBottom: Bool = false
  ) throws {
    let read = bottoms.map { shapes[$0]! }
    let outputs =
      perBottom
      ? try read.map { try operation.layer.outputShapes(for: [$0])[0] }
      : try operation.layer.outputShapes(for: read)
    let slots = try operation.layer.parameters(for: perBottom ? [read[0]] : read)
    try add(
      perBottom ? .operationPerBottom(operation) : .operation(operation), name, bottoms,
      tops ?? [name], outputs, slots: slots, lossWeights: lossWeights, shared: shared,
      rates: rates, limit: limit)
  }

  mutating func add(
    _ operation: TrainingOperation, _ name: String, _ bottoms: [String], _ tops: [String],
    _ outputs: [Shape], slots: [ParameterSlot] = [], lossWeights: [Float]? = nil,
    shared: [String] = [], rates: [Float] = [], limit: Float = 1
  ) throws {
    let parameters = slots.enumerated().map { index, slot in
      var parameter = TrainingParameter(slot: slot, filler: .uniform(low: -limit, high: limit))
      if index < shared.count { parameter.sharedName = shared[index] }
      if index < rates.count { parameter.rateFactor = rates[index] }
      return parameter
    }
    layers.append(
      TrainingLayer(
        name: name, typeName: name, operation: operation, bottoms: bottoms, tops: tops,
        inputShapes: bottoms.map { shapes[$0]! }, outputShapes: outputs, parameters: parameters,
        lossWeights: lossWeights))
    for (top, shape) in zip(tops, outputs) { shapes[top] = shape }
  }

  mutating func batchNorm(
    _ name: String, _ bottom: String, _ top: String, fraction: Float = 0.9, usesStored: Bool = false
  ) throws {
    let layer = BatchNorm(epsilon: 1e-3, usesStoredStatistics: usesStored)
    let shape = shapes[bottom]!
    try add(
      .batchNorm(layer, fraction: fraction, usesStored: usesStored), name, [bottom], [top],
      [shape], slots: try layer.parameters(for: [shape]), rates: [0, 0, 0])
  }

  /// Ends the net in a sum of its blob times random numbers, with a weight in the objective: every element gets a
  /// gradient of its own.
  mutating func probe(_ blob: String, weight: Float = 0.5) throws {
    try input("\(blob) probe", shapes[blob]!.extents)
    try add(
      .eltwise(Eltwise(.product)), "\(blob) probed", [blob, "\(blob) probe"],
      lossWeights: [weight])
  }

  func shape(of blob: String) -> Shape { shapes[blob]! }

  mutating func change(_ layer: String, _ body: (inout TrainingLayer) -> Void) {
    body(&layers[layers.firstIndex { $0.name == layer }!])
  }

  func net(_ phase: TrainingNet.Phase? = nil) -> TrainingNet {
    TrainingNet(
      name: "net", phase: phase ?? self.phase, layers: layers, forcesBackward: forcesBackward)
  }
}
