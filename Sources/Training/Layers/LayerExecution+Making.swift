import IR

/// Makes a layer ready to run: the one place that knows which class runs which operation.
///
/// - Throws: if the operation cannot be trained, or the layer does not fit its bottoms.
func makeExecution(
  _ context: LayerContext, sources: (TrainingLayer) throws(Diagnostic) -> any BatchSource
) throws(Diagnostic) -> any LayerExecution {
  switch context.layer.operation {
  case .operation(let operation): try operation.execution(context)
  case .operationPerBottom(let operation):
    try PerBottomExecution(context) { part throws(Diagnostic) in try operation.execution(part) }
  case .batchNorm(let layer, let fraction, let usesStored):
    try BatchNormExecution(layer, fraction: fraction, usesStored: usesStored, context)
  case .dropout(let ratio): DropoutExecution(ratio: ratio, context)
  case .stochasticPooling(let layer): StochasticPoolingExecution(layer, context)
  case .loss(let loss): try loss.execution(context)
  case .accuracy(let accuracy): try AccuracyExecution(accuracy, context)
  case .data: try DataExecution(try sources(context.layer), context)
  }
}

extension Operation {
  fileprivate func execution(_ context: LayerContext) throws(Diagnostic) -> any LayerExecution {
    switch self {
    case .argMax(let layer): ArgMaxExecution(layer, context)
    case .batchNorm(let layer):
      // As a compiled net has it: the moving averages stay as they are.
      try BatchNormExecution(
        layer, fraction: nil, usesStored: layer.usesStoredStatistics, context)
    case .batchReindex(let layer): BatchReindexExecution(layer, context)
    case .bias(let layer): try BiasExecution(layer, context)
    case .borderBias, .constant, .repack, .spatialPyramidPooling: throw context.untrainable
    case .concat(let layer): ConcatExecution(layer, context)
    case .convolution(let layer):
      layer.isInWinogradDomain
        ? try WinogradExecution(layer, context) : try ConvolutionExecution(layer, context)
    case .crop(let layer): CropExecution(layer, context)
    case .deconvolution(let layer): try DeconvolutionExecution(layer, context)
    case .elementwise(let layer): try layer.function.execution(context)
    case .eltwise(let layer): try layer.execution(context)
    case .embed(let layer): EmbedExecution(layer, context)
    case .flatten, .identity, .reshape: ReshapeExecution(context)
    case .im2col(let layer): Im2colExecution(layer, context)
    case .innerProduct(let layer): try InnerProductExecution(layer, context)
    case .lrn(let layer): try LRNExecution(layer, context)
    case .mvn(let layer): MVNExecution(layer, context)
    case .parameter: ParameterExecution(context)
    case .pooling(let layer): try layer.execution(context)
    case .preLU(let layer): PReLUExecution(layer, context)
    case .reduction(let layer): ReductionExecution(layer, context)
    case .scale(let layer): try ScaleExecution(layer, context)
    case .silence: SilenceExecution()
    case .slice(let layer): SliceExecution(layer, context)
    case .softmax(let layer): SoftmaxExecution(layer, context)
    case .split: SplitExecution(context)
    case .tile(let layer): TileExecution(layer, context)
    }
  }
}

extension Loss {
  fileprivate func execution(_ context: LayerContext) throws(Diagnostic) -> any LayerExecution {
    switch self {
    case .softmax(let axis, let normalization, let ignored):
      SoftmaxLossExecution(
        axis: axis, normalization, ignoredLabel: ignored, information: nil, context)
    case .euclidean: EuclideanLossExecution(context)
    case .hinge(let squared): HingeLossExecution(squared: squared, context)
    case .sigmoidCrossEntropy(let normalization, let ignored):
      SigmoidCrossEntropyExecution(normalization, ignoredLabel: ignored, context)
    case .multinomialLogistic: MultinomialLogisticExecution(context)
    case .infogain(let matrix, let axis, let normalization, let ignored):
      try InfogainLossExecution(
        matrix: matrix, axis: axis, normalization, ignoredLabel: ignored, context)
    case .contrastive(let margin, let legacy):
      ContrastiveLossExecution(margin: margin, legacy: legacy, context)
    }
  }
}

extension LayerContext {
  /// What a layer gets that can be compiled but not trained.
  var untrainable: Diagnostic {
    error("layers of this type cannot be trained; compiled nets run them")
  }

  /// Layers into which the compiler fused others have no place in training.
  func requirePlain(_ activation: ElementwiseFunction?) throws(Diagnostic) {
    if activation != nil { throw error("an activation fused into the layer cannot be trained") }
  }
}

/// A layer that does the same to each bottom with the same parameters.
final class PerBottomExecution: LayerExecution {
  private let parts: [any LayerExecution]

  init(
    _ context: LayerContext, make: (LayerContext) throws(Diagnostic) -> any LayerExecution
  ) throws(Diagnostic) {
    var parts: [any LayerExecution] = []
    for (input, output) in zip(context.inputs, context.outputs) {
      var part = context
      part.inputs = [input]
      part.outputs = [output]
      part.mayWorkInPlace = context.mayWorkInPlace && context.inputs.count == 1
      parts.append(try make(part))
    }
    self.parts = parts
  }

  func forward() throws(Diagnostic) {
    for part in parts { try part.forward() }
  }

  func backward() {
    for part in parts { part.backward() }
  }
}
