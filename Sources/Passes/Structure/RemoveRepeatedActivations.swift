import IR

/// Removes a ReLU of what cannot be negative: of another ReLU above all, which a vanished block leaves behind.
public struct RemoveRepeatedActivations: Pass {
  public let name = "remove-repeated-activations"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      let node = result.graph[id]
      guard case .elementwise(let layer) = node.operation, case .relu = layer.function,
        result.graph.isNeverNegative(node.inputs[0]), result.graph.bypass(id)
      else { continue }
      result.findings.append(Finding(node, .removed, "its input is never negative"))
    }
    return result
  }
}

extension Graph {
  /// Whether a value has no negative element, whatever the network's input; false if that is not plain.
  fileprivate func isNeverNegative(_ value: ValueID) -> Bool {
    guard let producer = producer(of: value) else { return false }
    let node = self[producer]
    func inputsAre() -> Bool { node.inputs.allSatisfy { isNeverNegative($0) } }
    switch node.operation {
    case .elementwise(let layer): return layer.function.isNeverNegative
    case .convolution(let layer): return layer.activation?.isNeverNegative ?? false
    case .innerProduct(let layer): return layer.activation?.isNeverNegative ?? false
    case .borderBias(let layer): return layer.activation?.isNeverNegative ?? false
    case .constant: return node.parameters[0].values.allSatisfy { $0 >= 0 }
    case .softmax: return true
    case .eltwise(let layer):
      if let activation = layer.activation { return activation.isNeverNegative }
      switch layer.combination {
      case .sum(let coefficients): return coefficients.allSatisfy { $0 >= 0 } && inputsAre()
      case .product: return inputsAre()
      case .maximum: return node.inputs.contains { isNeverNegative($0) }
      }
    case .pooling(let layer):
      // An empty window of a maximum is the lowest number.
      return layer.startsAtZero || layer.reduction != .max && inputsAre()
    case .concat, .flatten, .identity, .reshape, .slice, .split, .tile: return inputsAre()
    case .lrn(let layer): return layer.alpha >= 0 && layer.k >= 0 && inputsAre()
    case .argMax, .batchNorm, .batchReindex, .bias, .crop, .deconvolution, .embed, .im2col, .mvn,
      .parameter, .preLU, .reduction, .repack, .scale, .silence, .spatialPyramidPooling:
      return false
    }
  }
}

extension ElementwiseFunction {
  fileprivate var isNeverNegative: Bool {
    switch self {
    case .relu(let slope): slope == 0
    case .sigmoid, .absoluteValue, .softplus, .threshold: true
    case .clip(let low, _): low >= 0
    case .elu, .exponential, .logarithm, .power, .swish, .tanh: false
    }
  }
}
