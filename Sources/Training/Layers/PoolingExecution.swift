import COneDNN
import IR

extension Pooling {
  /// Maxima where channels lie together by loops over them, the rest by oneDNN's primitive where it computes what
  /// Caffe does, else by plain loops.
  func execution(_ context: LayerContext) throws(Diagnostic) -> any LayerExecution {
    if reduction == .max, context.input.blob.format != .plain, !startsAtZero,
      context.outputs.count == 1
    {
      return MaximumPoolingExecution(self, context)
    }
    return PoolingExecution(self, context) ?? PlainPoolingExecution(self, context)
  }

  /// Whether oneDNN's windows and divisors are Caffe's: no empty window, no positions, and averages whose windows
  /// reach beyond the image into the padding or, where there is none, beyond the edge.
  fileprivate func isPrimitive(_ context: LayerContext) -> Bool {
    let window = resolvedWindow(for: context.input.shape)
    let overhang = overhang(context)
    let isWhole = (0..<2).allSatisfy { overhang[$0] < window.kernel[$0] }
    guard !startsAtZero, !writesPositions, isWhole, context.outputs.count == 1 else { return false }
    switch reduction {
    case .max: return true
    case .average:
      return window.pad.allSatisfy { $0 == 0 }
        || (0..<2).allSatisfy { overhang[$0] <= window.pad[$0] }
    case .stochastic: return false
    }
  }

  /// How far the last window reaches beyond the image, per axis.
  fileprivate func overhang(_ context: LayerContext) -> [Int] {
    let window = resolvedWindow(for: context.input.shape)
    return (0..<2).map { axis in
      let end =
        (context.output.shape[2 + axis] - 1) * window.stride[axis] + window.kernel[axis]
        - window.pad[axis]
      return max(end - context.input.shape[2 + axis], 0)
    }
  }
}

/// Maximum or average pooling on oneDNN, in the format in which the input comes.
final class PoolingExecution: LayerExecution {
  private let context: LayerContext
  private let pair: PrimitivePair

  init?(_ layer: Pooling, _ context: LayerContext) {
    guard layer.isPrimitive(context) else { return nil }
    let window = layer.resolvedWindow(for: context.input.shape)
    let after = layer.overhang(context)
    var pooling = dnn_pooling()
    pooling.source = dnn_shape(context.input.shape)
    pooling.destination = dnn_shape(context.output.shape)
    pooling.format = context.input.blob.format.primitive
    pooling.is_maximum = layer.reduction == .max
    pooling.counts_padding = window.pad.contains { $0 > 0 }
    pooling.kernel = pair64(window.kernel)
    pooling.stride = pair64(window.stride)
    pooling.before = pair64(window.pad)
    pooling.after = pair64(after)
    guard
      let pair = PrimitivePair(
        dnn_pooling_make(context.engine.context, &pooling, context.wantsBackward), context.engine)
    else { return nil }
    self.pair = pair
    self.context = context
    context.keepFormat()
  }

  func forward() { pair.forward.run(context.input.values, context.output.values) }

  func backward() {
    guard context.input.wantsGradient else { return }
    pair.backward?.run(context.output.gradient, context.input.gradient)
  }
}

/// Maximum pooling where channels lie together.
final class MaximumPoolingExecution: LayerExecution {
  private let context: LayerContext
  private var pooling = dnn_maximum()
  /// For every output which position of its window it came from.
  private var taps: [Int32]

  /// - Precondition: the input is not plain.
  init(_ layer: Pooling, _ context: LayerContext) {
    self.context = context
    context.keepFormat()
    let (input, output) = (context.input.shape, context.output.shape)
    let window = layer.resolvedWindow(for: input)
    let inner = context.input.format.innerChannels(of: input[1])
    pooling.outer = Int64(input[0] * input[1] / inner)
    pooling.rows = Int64(input[2])
    pooling.columns = Int64(input[3])
    pooling.inner = Int64(inner)
    pooling.output_rows = Int64(output[2])
    pooling.output_columns = Int64(output[3])
    pooling.kernel = pair64(window.kernel)
    pooling.stride = pair64(window.stride)
    pooling.before = pair64(window.pad)
    taps = Array(repeating: 0, count: context.output.count)
  }

  func forward() {
    dnn_maximum_forward(
      Int32(context.engine.threads), &pooling, context.input.values, context.output.values, &taps)
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    dnn_maximum_backward(
      Int32(context.engine.threads), &pooling, context.output.gradient, context.input.gradient,
      &taps)
  }
}

private func pair64(_ list: [Int]) -> (Int64, Int64) { (Int64(list[0]), Int64(list[1])) }
