import IR

/// L2 and L1 decay. With strength = weight decay * the parameter's factor (* a factor of each weight, if the net gives
/// some): L2: g += strength W, term strength / 2 sum W^2; L1: g += strength sign(W), term strength sum |W|; sign(0) = 0.
/// SkimCaffe's L1 with soft threshold or splicing enters the gradient like L1; its L1 in the Winograd domain is a
/// penalty of its own.
public final class WeightDecay: Regularizer {
  private let strength: Float
  private let usual: Regularization

  /// - Parameter usual: the kind for parameters that name none.
  public init(strength: Float, usual: Regularization) {
    self.strength = strength
    self.usual = usual
  }

  public func add(
    to parameter: Parameter, index: Int, range: Range<Int>, reportsTerm: Bool
  ) -> Double {
    let strength = strength * parameter.settings.decayFactor
    guard strength != 0, !range.isEmpty, let values = parameter.values.baseAddress,
      let gradients = parameter.gradient.baseAddress
    else { return 0 }
    let (value, gradient) = (values + range.lowerBound, gradients + range.lowerBound)
    if let factors = parameter.settings.sparsity.decayFactors?.values {
      return addWithFactors(factors, strength, parameter, range)
    }
    switch parameter.settings.regularization ?? usual {
    case .l2:
      for i in 0..<range.count { gradient[i] = strength * value[i] + gradient[i] }
      guard reportsTerm else { return 0 }
      return Double(strength) / 2 * Sums.squares(value, range.count)
    case .l1, .softThreshold, .l1WithSplicing:
      for i in 0..<range.count {
        let sign: Float = value[i] > 0 ? 1 : value[i] < 0 ? -1 : 0
        gradient[i] = strength * sign + gradient[i]
      }
      guard reportsTerm else { return 0 }
      return Double(strength) * Sums.magnitudes(value, range.count)
    case .l1Winograd: return 0
    }
  }

  /// With a factor for each weight (`decay_proto` of scnn).
  private func addWithFactors(
    _ factors: [Float], _ strength: Float, _ parameter: Parameter, _ range: Range<Int>
  ) -> Double {
    let kind = parameter.settings.regularization ?? usual
    var term = 0.0
    for i in range {
      let (value, factor) = (parameter.values[i], strength * factors[i])
      if kind == .l2 {
        parameter.gradient[i] += factor * value
        term += Double(factor) / 2 * Double(value) * Double(value)
      } else {
        parameter.gradient[i] += factor * (value > 0 ? 1 : value < 0 ? -1 : 0)
        term += Double(factor) * Double(abs(value))
      }
    }
    return term
  }
}
