/// RMSProp (Tieleman and Hinton 2012): S = d S + (1 - d) g^2; update = rate g / (sqrt(S) + delta).
public struct RMSProp: Optimizer {
  public var decay: Float
  public var delta: Float

  public init(decay: Float, delta: Float) {
    self.decay = decay
    self.delta = delta
  }

  public var historyCount: Int { 1 }

  public func apply(to slice: UpdateSlice, _ step: UpdateStep) {
    let (gradient, squares) = (slice.gradient, slice.history)
    let rest = 1 - decay
    for i in 0..<slice.count {
      squares[i] = rest * (gradient[i] * gradient[i]) + decay * squares[i]
      gradient[i] = step.rate * (gradient[i] / (squares[i].squareRoot() + delta))
    }
  }
}
