/// Nesterov's accelerated gradient: V' = m V + rate g; update = (1 + m) V' - m V.
public struct Nesterov: Optimizer {
  public init() {}

  public var historyCount: Int { 1 }

  public func apply(to slice: UpdateSlice, _ step: UpdateStep) {
    let (gradient, velocity) = (slice.gradient, slice.history)
    for i in 0..<slice.count {
      let old = velocity[i]
      let new = step.rate * gradient[i] + step.momentum * old
      velocity[i] = new
      gradient[i] = (1 + step.momentum) * new - step.momentum * old
    }
  }
}
