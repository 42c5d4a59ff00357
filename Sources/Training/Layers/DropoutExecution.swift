import IR

/// In training each value survives with probability 1 - ratio and is scaled by 1 / (1 - ratio); in tests nothing
/// happens.
final class DropoutExecution: LayerExecution {
  private let context: LayerContext
  private let ratio: Float
  private var random: RandomSource
  /// What each value was multiplied by; nil in tests.
  private let factors: FloatStorage?

  init(ratio: Float, _ context: LayerContext) {
    self.context = context
    self.ratio = ratio
    random = context.random
    factors = context.isTraining ? FloatStorage(context.input.count) : nil
    context.workInPlace()
  }

  func forward() {
    let (x, y, count) = (context.input.values, context.output.values, context.input.count)
    guard let factors = factors?.pointer else {
      if x != y { context.engine.copy(x, to: y, count: count) }
      return
    }
    let scale = 1 / (1 - ratio)
    for i in 0..<count { factors[i] = random.unit() < ratio ? 0 : scale }
    context.engine.map(count, x, factors, into: y) { $0 * $1 }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (dy, dx, count) = (context.output.gradient, context.input.gradient, context.input.count)
    if let factors = factors?.pointer {
      context.engine.map(count, dy, factors, into: dx) { $0 * $1 }
    } else if dx != dy {
      context.engine.copy(dy, to: dx, count: count)
    }
  }

  var state: [UInt8] { factors == nil ? [] : random.bytes }

  func restore(_ state: [UInt8]) throws(Diagnostic) {
    guard let saved = RandomSource(bytes: state) else {
      throw context.error("the snapshot holds no random state for this layer")
    }
    random = saved
  }
}
