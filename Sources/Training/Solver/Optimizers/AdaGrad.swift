/// AdaGrad (Duchi, Hazan and Singer 2011): S += g^2; update = rate g / (sqrt(S) + delta).
public struct AdaGrad: Optimizer {
  public var delta: Float

  public init(delta: Float) { self.delta = delta }

  public var historyCount: Int { 1 }

  public func apply(to slice: UpdateSlice, _ step: UpdateStep) {
    let (gradient, squares) = (slice.gradient, slice.history)
    for i in 0..<slice.count {
      squares[i] = gradient[i] * gradient[i] + squares[i]
      gradient[i] = step.rate * (gradient[i] / (squares[i].squareRoot() + delta))
    }
  }
}
