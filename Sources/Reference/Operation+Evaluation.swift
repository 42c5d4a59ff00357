import IR

extension Operation {
  /// The outputs of one layer.
  func evaluate(_ call: LayerCall) throws(EvaluationError) -> [Tensor] {
    switch self {
    case .argMax(let layer): layer.evaluate(call)
    case .batchNorm(let layer): layer.evaluate(call)
    case .batchReindex(let layer): try layer.evaluate(call)
    case .bias(let layer): layer.evaluate(call)
    case .borderBias(let layer): layer.evaluate(call)
    case .concat(let layer): layer.evaluate(call)
    case .constant(let layer): layer.evaluate(call)
    case .convolution(let layer):
      layer.isInWinogradDomain ? layer.evaluateInWinogradDomain(call) : layer.evaluate(call)
    case .crop(let layer): layer.evaluate(call)
    case .deconvolution(let layer): layer.evaluate(call)
    case .elementwise(let layer): layer.evaluate(call)
    case .eltwise(let layer): layer.evaluate(call)
    case .embed(let layer): try layer.evaluate(call)
    case .im2col(let layer): layer.evaluate(call)
    case .innerProduct(let layer): layer.evaluate(call)
    case .lrn(let layer): layer.evaluate(call)
    case .mvn(let layer): layer.evaluate(call)
    case .pooling(let layer): layer.evaluate(call)
    case .preLU(let layer): layer.evaluate(call)
    case .reduction(let layer): layer.evaluate(call)
    case .scale(let layer): layer.evaluate(call)
    case .slice(let layer): layer.evaluate(call)
    case .softmax(let layer): layer.evaluate(call)
    case .spatialPyramidPooling(let layer): layer.evaluate(call)
    case .tile(let layer): layer.evaluate(call)
    // Layers that only name, copy or swallow: a tensor has no layout, so Repack is one of them.
    case .flatten, .identity, .repack, .reshape, .split:
      call.outputShapes.map { call.input.reshaped(to: $0) }
    case .parameter: [call.parameters[0]]
    case .silence: []
    }
  }
}
