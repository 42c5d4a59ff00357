import Foundation

extension ElementwiseFunction {
  /// The function of `x`, computed in double, with Caffe's answers to infinities and NaN.
  public func value(at x: Float) -> Float { Float(value(at: Double(x))) }

  private func value(at x: Double) -> Double {
    switch self {
    case .relu(let slope): return rectified(x, slope: Double(slope))
    case .elu(let alpha): return x > 0 ? x : Double(alpha) * (exp(x) - 1)
    case .sigmoid: return logistic(x)
    case .tanh: return Foundation.tanh(x)
    case .absoluteValue: return abs(x)
    case .softplus: return x > 0 ? x + log(1 + exp(-x)) : log(1 + exp(x))
    case .power(let power, let scale, let shift):
      // A constant, even for infinite x.
      if power == 0 || scale == 0 { return pow(Double(shift), Double(power)) }
      return pow(Double(shift) + Double(scale) * x, Double(power))
    case .exponential(let base, let scale, let shift):
      let exponent = Double(scale) * x + Double(shift)
      return base.map { pow(Double($0), exponent) } ?? exp(exponent)
    case .logarithm(let base, let scale, let shift):
      let logarithm = log(Double(scale) * x + Double(shift))
      return base.map { logarithm / log(Double($0)) } ?? logarithm
    case .threshold(let threshold): return x > Double(threshold) ? 1 : 0
    case .clip(let low, let high):
      // Caffe's order of comparisons: NaN becomes the lower bound.
      let capped = Double(high) < x ? Double(high) : x
      return Double(low) < capped ? capped : Double(low)
    case .swish(let beta): return x * logistic(Double(beta) * x)
    }
  }
}

/// max(x, 0) + slope * min(x, 0). NaN stays NaN, and minus infinity times a slope of 0 becomes NaN.
private func rectified(_ x: Double, slope: Double) -> Double {
  (x < 0 ? 0 : x) + slope * (x > 0 ? 0 : x)
}

private func logistic(_ x: Double) -> Double { 0.5 * tanh(0.5 * x) + 0.5 }
