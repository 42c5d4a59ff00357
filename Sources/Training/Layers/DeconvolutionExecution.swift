import IR

/// A transposed convolution: the convolution's gradient by its input runs forward, the convolution itself backward.
final class DeconvolutionExecution: LayerExecution {
  private let context: LayerContext
  private let view: SlidingView
  private let convolution: ConvolutionPrimitives

  init(_ layer: Deconvolution, _ context: LayerContext) throws(Diagnostic) {
    let view = try SlidingView(
      window: layer.window, groups: layer.groups, axis: layer.axis, input: context.input.shape,
      output: context.output.shape, context)
    self.context = context
    self.view = view
    convolution = try context.require(
      ConvolutionPrimitives(
        view.geometry(
          .plainPair, hasBias: false, sourceGradient: true,
          weightGradient: context.parameters[0].wantsGradient, swapped: true),
        acceptsReference: true, context.engine), "deconvolution")
  }

  func forward() {
    let output = context.output.values
    convolution.sourceGradient(
      context.input.values, weights: context.parameters[0].values, into: output)
    guard context.parameters.count > 1 else { return }
    let (bias, channels, plane) = (
      context.parameters[1].values, view.outputChannels, view.outputPlane
    )
    context.engine.parallel(view.images * channels, work: plane) { range in
      for row in range {
        let value = bias[row % channels]
        for i in row * plane..<(row + 1) * plane { output[i] += value }
      }
    }
  }

  func backward() {
    let gradient = context.output.gradient
    if context.parameters[0].wantsGradient {
      convolution.weightGradient(
        gradient, context.input.values, weights: context.parameters[0].gradient, bias: nil)
    }
    if context.parameters.count > 1, context.parameters[1].wantsGradient { addBiasGradient() }
    if context.input.wantsGradient {
      convolution.forward(
        gradient, weights: context.parameters[0].values, bias: nil, into: context.input.gradient)
    }
  }

  private func addBiasGradient() {
    let (gradient, bias) = (context.output.gradient, context.parameters[1].gradient)
    let (channels, plane) = (view.outputChannels, view.outputPlane)
    for channel in 0..<channels {
      var sum: Float = 0
      for image in 0..<view.images {
        let start = (image * channels + channel) * plane
        var planeSum: Float = 0
        for i in start..<start + plane { planeSum += gradient[i] }
        sum += planeSum
      }
      bias[channel] += sum
    }
  }
}
