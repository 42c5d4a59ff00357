import Foundation

/// Adam (Kingma and Ba 2015): M = m M + (1 - m) g; S = m2 S + (1 - m2) g^2;
/// update = rate sqrt(1 - m2^(t+1)) / (1 - m^(t+1)) M / (sqrt(S) + delta).
public struct Adam: Optimizer {
  public var momentum2: Float
  public var delta: Float

  public init(momentum2: Float, delta: Float) {
    self.momentum2 = momentum2
    self.delta = delta
  }

  public var historyCount: Int { 2 }

  public func apply(to slice: UpdateSlice, _ step: UpdateStep) {
    let (gradient, means, squares) = (slice.gradient, slice.history, slice.secondHistory)
    let t = Double(step.iteration + 1)
    let correction =
      (1 - pow(Double(momentum2), t)).squareRoot() / (1 - pow(Double(step.momentum), t))
    let rate = step.rate * Float(correction)
    let (rest, rest2) = (1 - step.momentum, 1 - momentum2)
    for i in 0..<slice.count {
      means[i] = rest * gradient[i] + step.momentum * means[i]
      squares[i] = rest2 * (gradient[i] * gradient[i]) + momentum2 * squares[i]
      gradient[i] = rate * (means[i] / (squares[i].squareRoot() + delta))
    }
  }
}
