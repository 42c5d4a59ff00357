import IR
import Training

/// The same batch again and again.
final class FixedSource: BatchSource {
  let tensors: [Tensor]
  var handedOut: UInt8 = 0

  init(_ tensors: [Tensor]) { self.tensors = tensors }

  var shapes: [Shape] { tensors.map(\.shape) }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    for (top, tensor) in zip(tops, tensors) { _ = top.update(fromContentsOf: tensor.values) }
    handedOut &+= 1
  }

  var position: [UInt8] { [handedOut] }
  func move(to position: [UInt8]) throws(Diagnostic) { handedOut = position[0] }
}

extension ExecutedNet {
  /// A net whose data layers hand out `inputs`, by the names of their tops.
  convenience init(
    _ net: TrainingNet, inputs: [String: Tensor], sharing: [Parameter]? = nil, seed: UInt64 = 1,
    threads: Int = 1
  ) throws(Diagnostic) {
    try self.init(
      net, sharing: sharing,
      sources: { layer throws(Diagnostic) in FixedSource(layer.tops.map { inputs[$0]! }) },
      random: RandomSource(seed: seed), threads: threads)
  }
}
