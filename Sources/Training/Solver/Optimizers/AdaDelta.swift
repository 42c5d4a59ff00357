/// AdaDelta (Zeiler 2012): S = m S + (1 - m) g^2; u = g sqrt((U + delta) / (S + delta));
/// U = m U + (1 - m) u^2; update = rate u.
public struct AdaDelta: Optimizer {
  public var delta: Float

  public init(delta: Float) { self.delta = delta }

  public var historyCount: Int { 2 }

  public func apply(to slice: UpdateSlice, _ step: UpdateStep) {
    let (gradient, squares, updates) = (slice.gradient, slice.history, slice.secondHistory)
    let rest = 1 - step.momentum
    for i in 0..<slice.count {
      squares[i] = rest * (gradient[i] * gradient[i]) + step.momentum * squares[i]
      let ratio = (delta + updates[i]) / (delta + squares[i])
      let update = gradient[i] * ratio.squareRoot()
      updates[i] = rest * (update * update) + step.momentum * updates[i]
      gradient[i] = step.rate * update
    }
  }
}
