import IR

/// Lets a convolution, inner product or Eltwise apply the ReLU behind it while its result is in registers.
public struct FuseActivations: Pass {
  public let name = "fuse-activations"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      guard case .elementwise(let layer) = graph[id].operation,
        case .relu = layer.function
      else { continue }
      let node = graph[id]
      let input = node.inputs[0]
      guard let producer = result.graph.producer(of: input), !result.graph.isOutput(input),
        result.graph.consumers(of: input).count == 1,
        result.graph[producer].take(layer.function) != nil
      else {
        result.findings.append(
          Finding(node, .kept, "no layer that could apply it hands its result to it alone"))
        continue
      }
      result.graph.update(producer) { target in
        if let fused = target.take(layer.function) { target.operation = fused }
        target.fused.append(FusedLayer(name: node.name, type: node.sourceType))
      }
      result.graph.adopt(node.outputs[0], asOutput: 0, of: producer)
      result.graph.remove(id)
      let name = result.graph[producer].name
      result.findings.append(
        Finding(node, .fused(into: name), "applied before the result is stored"))
    }
    return result
  }
}

extension Node {
  /// The operation with an activation applied to its result, if it can apply one.
  fileprivate func take(_ function: ElementwiseFunction) -> Operation? {
    switch operation {
    case .convolution(var layer):
      // Only the kernels for images apply activations.
      guard layer.activation == nil, layer.window.axes == 2, layer.axis == 1 else { return nil }
      layer.activation = function
      return .convolution(layer)
    case .borderBias(var layer):
      guard layer.activation == nil else { return nil }
      layer.activation = function
      return .borderBias(layer)
    case .innerProduct(var layer):
      guard layer.activation == nil else { return nil }
      layer.activation = function
      return .innerProduct(layer)
    case .eltwise(var layer):
      guard layer.activation == nil else { return nil }
      layer.activation = function
      return .eltwise(layer)
    case .argMax, .batchNorm, .batchReindex, .bias, .concat, .constant, .crop,
      .deconvolution, .elementwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn,
      .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      return nil
    }
  }
}
