import IR

/// L2 and L1 decay. With strength = weight decay * the parameter's factor:
/// L2: g += strength W, term strength / 2 sum W^2; L1: g += strength sign(W), term strength sum |W|; sign(0) = 0.
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
    switch parameter.settings.regularization ?? usual {
    case .l2:
      for i in 0..<range.count { gradient[i] = strength * value[i] + gradient[i] }
      guard reportsTerm else { return 0 }
      return Double(strength) / 2 * Sums.squares(value, range.count)
    case .l1:
      for i in 0..<range.count {
        let sign: Float = value[i] > 0 ? 1 : value[i] < 0 ? -1 : 0
        gradient[i] = strength * sign + gradient[i]
      }
      guard reportsTerm else { return 0 }
      return Double(strength) * Sums.magnitudes(value, range.count)
    }
  }
}
