import IR

/// BatchNorm with the statistics of its own batch: statistics.h.
struct BatchStatistics: Kernel {
  let name = "batch_statistics"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .batchNorm(let layer) = graph[node].operation else { return nil }
    if layer.usesStoredStatistics { return declines("the layer's statistics are stored") }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    return fits(cycles: count * 3 + 200, target, inputs: [.dense], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .batchNorm(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel BatchNorm layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let shape = emitter.graph[input].shape
    let channels = BatchNorm.channels(of: shape)
    let outer = shape.axes > 1 ? shape[0] : 1
    emitter.call(
      name, header: "statistics.h",
      fields: [
        ".outer = \(outer), .channels = \(channels)",
        ".inner = \(shape.count / outer / channels), .eps = \(CText.literal(layer.epsilon))",
      ], arguments: [emitter.pointer(input), emitter.pointer(output)])
  }
}

/// Mean-variance normalisation: statistics.h.
struct MeanVariance: Kernel {
  let name = "mean_variance"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .mvn = graph[node].operation else { return nil }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    return fits(cycles: count * 3 + 200, target, inputs: [.dense], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .mvn(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel MVN layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let shape = emitter.graph[input].shape
    let outer = shape.count(upTo: min(layer.acrossChannels ? 1 : 2, shape.axes))
    emitter.call(
      name, header: "statistics.h",
      fields: [
        ".outer = \(outer), .inner = \(shape.count / outer)",
        ".normalize_variance = \(layer.normalizesVariance)",
        ".eps = \(CText.literal(layer.epsilon))",
      ], arguments: [emitter.pointer(input), emitter.pointer(output)])
  }
}

/// Sums and means over trailing axes: statistics.h.
struct ReductionKernel: Kernel {
  let name = "reduction"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .reduction = graph[node].operation else { return nil }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    return fits(cycles: count + 200, target, inputs: [.dense], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .reduction(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel reductions only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let outer = emitter.graph[output].shape.count
    let inner = emitter.graph[input].shape.count / outer
    var coefficient = layer.coefficient
    let summand: String
    switch layer.operation {
    case .sum: summand = "VALUES"
    case .sumOfAbsolutes: summand = "MAGNITUDES"
    case .sumOfSquares: summand = "SQUARES"
    case .mean:
      summand = "VALUES"
      coefficient /= Float(inner)
    }
    emitter.call(
      name, header: "statistics.h",
      fields: [
        ".outer = \(outer), .inner = \(inner), .operation = SUM_OF_\(summand)",
        ".coefficient = \(CText.literal(coefficient))",
      ], arguments: [emitter.pointer(input), emitter.pointer(output)])
  }
}
