/// Stochastic gradient descent with momentum: V = m V + rate g; update = V.
///
/// The rate is inside V, so that a change of rate does not rescale old momentum.
public struct SGD: Optimizer {
  public init() {}

  public var historyCount: Int { 1 }

  public func apply(to slice: UpdateSlice, _ step: UpdateStep) {
    let (gradient, velocity) = (slice.gradient, slice.history)
    for i in 0..<slice.count {
      velocity[i] = step.rate * gradient[i] + step.momentum * velocity[i]
      gradient[i] = velocity[i]
    }
  }
}
