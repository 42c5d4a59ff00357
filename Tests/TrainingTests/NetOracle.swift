import IR
import Reference
import Training

/// A net's objective, evaluated slowly: inference layers by the reference evaluator, losses in double here.
struct NetOracle {
  let net: TrainingNet
  var inputs: [String: Tensor]
  /// Every learned array once.
  var parameters: [Tensor]
  /// For every layer its arrays, as places in `parameters`.
  let places: [[Int]]

  init(_ net: TrainingNet, inputs: [String: Tensor], _ executed: ExecutedNet) {
    self.net = net
    self.inputs = inputs
    parameters = executed.parameters.map { Tensor(shape: $0.shape, values: Array($0.values)) }
    places = executed.parametersByLayer.map { used in
      used.map { one in executed.parameters.firstIndex { $0 === one }! }
    }
  }

  /// The objective, and the last values of all blobs.
  func evaluate() throws -> (objective: Double, blobs: [String: Tensor]) {
    var blobs: [String: Tensor] = [:]
    var objective = 0.0
    for (index, layer) in net.layers.enumerated() {
      let read = layer.bottoms.map { blobs[$0]! }
      let learned = places[index].enumerated().map { slot, place in
        parameters[place].reshaped(to: layer.parameters[slot].slot.shape)
      }
      let values = try outputs(layer, read, learned)
      for (place, (top, result)) in zip(layer.tops, values).enumerated() {
        blobs[top] = Tensor(shape: layer.outputShapes[place], values: result.map { Float($0) })
        let weight = Double(layer.lossWeights[place])
        if weight != 0 { objective += weight * result.reduce(0, +) }
      }
    }
    return (objective, blobs)
  }

  private func outputs(_ layer: TrainingLayer, _ read: [Tensor], _ learned: [Tensor]) throws
    -> [[Double]]
  {
    func run(_ operation: Operation, _ read: [Tensor]) throws -> [[Double]] {
      try evaluate(operation, read, learned).map { $0.values.map { Double($0) } }
    }
    switch layer.operation {
    case .data: return layer.tops.map { inputs[$0]!.values.map { Double($0) } }
    case .operation(.eltwise(let eltwise)) where eltwise.combination == .product && read.count == 2:
      // What probes end in: not rounded.
      return [zip(read[0].values, read[1].values).map { Double($0) * Double($1) }]
    case .operation(let operation): return try run(operation, read)
    case .operationPerBottom(let operation):
      return try read.map { try run(operation, [$0])[0] }
    case .batchNorm(var norm, _, let usesStored):
      norm.usesStoredStatistics = usesStored
      return try run(.batchNorm(norm), read)
    case .stochasticPooling(let pooling): return try run(.pooling(pooling), read)
    case .loss(let loss): return [[loss.value(read)]]
    case .dropout, .accuracy: preconditionFailure("these have tests of their own")
    }
  }

  private func evaluate(_ operation: Operation, _ read: [Tensor], _ learned: [Tensor]) throws
    -> [Tensor]
  {
    var graph = Graph(name: "layer")
    let ids = read.enumerated().map { graph.addInput(name: "x\($0)", shape: $1.shape) }
    let shapes = try operation.layer.outputShapes(for: read.map(\.shape))
    let node = try graph.append(
      operation, name: "layer", inputs: ids, parameters: learned,
      outputNames: shapes.indices.map { "y\($0)" })
    return try Evaluator(graph).evaluate(node, inputs: read)
  }
}
