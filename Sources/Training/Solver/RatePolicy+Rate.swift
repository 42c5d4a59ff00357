import Foundation
import IR

extension RatePolicy {
  /// The learning rate of an iteration, in Caffe's float arithmetic.
  ///
  /// - Parameters:
  ///   - base: `base_lr`.
  ///   - iteration: the number of updates made.
  ///   - step: the steps taken so far, as a solverstate holds them; `multistep` takes at most one per call.
  ///   - maximumIterations: `max_iter`, for `poly`.
  public func rate(base: Float, iteration: Int, step: inout Int, maximumIterations: Int) -> Float {
    let t = Float(iteration)
    switch self {
    case .fixed: return base
    case .step(let gamma, let size):
      step = iteration / size
      return powers(base, gamma, Double(step))
    case .exponential(let gamma): return powers(base, gamma, Double(iteration))
    case .inverse(let gamma, let power): return base * powf(1 + gamma * t, -power)
    case .multistep(let gamma, let steps):
      if step < steps.count, iteration >= steps[step] { step += 1 }
      return powers(base, gamma, Double(step))
    case .polynomial(let power):
      return base * powf(1 - t / Float(maximumIterations), power)
    case .sigmoid(let gamma, let size):
      return base * (1 / (1 + expf(-gamma * (t - Float(size)))))
    }
  }

  /// Caffe takes powers of whole numbers in double precision.
  private func powers(_ base: Float, _ gamma: Float, _ exponent: Double) -> Float {
    Float(Double(base) * pow(Double(gamma), exponent))
  }
}
