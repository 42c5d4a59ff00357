import COneDNN
import IR

/// Batch normalisation on oneDNN, with Caffe's moving averages.
///
/// After a forward pass by the batch's own statistics, factor = fraction * factor + 1, and likewise for the sums of
/// means and of variances (times m / (m - 1), m being the number of values behind each).
///
/// The scale, shift and rectifier of layers behind it are done by the same primitive.
final class BatchNormExecution: LayerExecution {
  private let context: LayerContext
  private let pair: PrimitivePair
  private let usesStored: Bool
  /// nil: the averages are left alone.
  private let fraction: Float?
  private let channels: Int
  private let mean: FloatStorage
  private let variance: FloatStorage
  /// The shift where a scale has none; gradients of scale and shift before they are added.
  private let zeros: FloatStorage
  private let sums: (scale: FloatStorage, shift: FloatStorage)

  init(_ layer: BatchNorm, fraction: Float?, usesStored: Bool, _ context: LayerContext)
    throws(Diagnostic)
  {
    let shape = context.input.shape
    channels = BatchNorm.channels(of: shape)
    context.keepFormat()
    var norm = dnn_batch_norm()
    norm.shape =
      shape.axes == 4
      ? dnn_shape(shape)
      : dnn_shape([shape.count / channels / Self.inner(shape), channels, Self.inner(shape), 1])
    norm.format = context.input.format.primitive
    norm.epsilon = layer.epsilon
    norm.uses_given = usesStored
    norm.scales = !context.absorbed.scale.isEmpty
    norm.rectifies = context.absorbed.rectifies
    pair = try context.require(
      PrimitivePair(
        dnn_batch_norm_make(context.engine.context, &norm, context.wantsBackward), context.engine),
      "batch normalisation")
    self.context = context
    self.usesStored = usesStored
    self.fraction = fraction
    mean = FloatStorage(channels)
    variance = FloatStorage(channels)
    zeros = FloatStorage(channels)
    sums = (FloatStorage(channels), FloatStorage(channels))
  }

  func forward() {
    if usesStored { readAverages() }
    pair.forward.run(
      context.input.values, context.output.values, mean.pointer, variance.pointer, scale, shift)
    if context.absorbed.rectifies { keepWhatIsNoNumber() }
    if !usesStored, let fraction { updateAverages(fraction) }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    pair.backward?.run(
      context.input.values, context.output.gradient, context.input.gradient, mean.pointer,
      variance.pointer, scale, shift, sums.scale.pointer, sums.shift.pointer)
    for (parameter, sum) in zip(context.absorbed.scale, [sums.scale, sums.shift]) {
      context.addGradient(sum.pointer, to: parameter)
    }
  }

  /// Not looked at without a scale.
  private var scale: Floats { context.absorbed.scale.first?.values ?? zeros.pointer }
  private var shift: Floats {
    context.absorbed.scale.count > 1 ? context.absorbed.scale[1].values : zeros.pointer
  }

  /// The primitive's rectifier makes zeros of what is no number, which would hide that training has diverged.
  private func keepWhatIsNoNumber() {
    let isFinite = (0..<channels).allSatisfy {
      mean.pointer[$0].isFinite && variance.pointer[$0].isFinite && scale[$0].isFinite
        && shift[$0].isFinite
    }
    if !isFinite { context.output.values.update(repeating: .nan, count: context.output.count) }
  }

  /// Elements behind axis 1.
  private static func inner(_ shape: Shape) -> Int {
    shape.axes > 1 ? shape.count(from: 2) : shape.count
  }

  private func readAverages() {
    let factor = context.parameters[2].values[0]
    let scale = factor == 0 ? 0 : 1 / factor
    for channel in 0..<channels {
      mean.pointer[channel] = context.parameters[0].values[channel] * scale
      variance.pointer[channel] = context.parameters[1].values[channel] * scale
    }
  }

  private func updateAverages(_ fraction: Float) {
    let count = context.input.count / channels
    let correction = count > 1 ? Float(count) / Float(count - 1) : 1
    let (means, variances) = (context.parameters[0].values, context.parameters[1].values)
    context.parameters[2].values[0] = fraction * context.parameters[2].values[0] + 1
    for channel in 0..<channels {
      means[channel] = fraction * means[channel] + mean.pointer[channel]
      variances[channel] = fraction * variances[channel] + correction * variance.pointer[channel]
    }
  }
}
