import COneDNN
import IR

/// Local response normalisation on oneDNN, which is slow but in blocks of channels.
final class LRNExecution: LayerExecution {
  private let context: LayerContext
  private let pair: PrimitivePair

  init(_ layer: LRN, _ context: LayerContext) throws(Diagnostic) {
    if layer.positions != nil { throw context.untrainable }
    context.input.keepFormat()
    if let blocked = BlobFormat.blocked(channels: [context.input.shape[1]]) {
      context.input.format = blocked
    }
    context.output.format = context.input.format
    var lrn = dnn_lrn()
    lrn.shape = dnn_shape(context.input.shape)
    lrn.format = context.input.format.primitive
    lrn.across_channels = layer.region == .acrossChannels
    lrn.size = Int64(layer.size)
    lrn.alpha = layer.alpha
    lrn.beta = layer.beta
    // Within a channel Caffe's constant is 1 whatever the layer says.
    lrn.k = layer.region == .acrossChannels ? layer.k : 1
    pair = try context.require(
      PrimitivePair(
        dnn_lrn_make(context.engine.context, &lrn, context.wantsBackward), context.engine), "LRN")
    self.context = context
  }

  func forward() { pair.forward.run(context.input.values, context.output.values) }

  func backward() {
    guard context.input.wantsGradient else { return }
    pair.backward?.run(context.input.values, context.output.gradient, context.input.gradient)
  }
}
