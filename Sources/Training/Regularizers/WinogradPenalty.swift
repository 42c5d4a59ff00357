import IR

/// L1 in the Winograd domain (SkimCaffe, regularization_type "L1_Winograd"): g += strength * Gᵀ sign(G w Gᵀ) G for
/// every kernel w. The reported term is strength * |G w Gᵀ| N^2 / M^2, as SkimCaffe prints it.
public final class WinogradPenalty: Regularizer {
  private let strength: Float
  private let usual: Regularization
  /// What this iteration adds to a gradient, and the term, by parameter.
  private var additions: [[Float]] = []
  private var terms: [Double] = []

  /// - Parameters:
  ///   - strength: the solver's weight decay.
  ///   - usual: the kind for parameters that name none.
  public init(strength: Float, usual: Regularization) {
    self.strength = strength
    self.usual = usual
  }

  public func prepare(_ parameters: [Parameter]) {
    additions = parameters.map { _ in [] }
    terms = parameters.map { _ in 0 }
    for (index, parameter) in parameters.enumerated() {
      let strength = Double(self.strength * parameter.settings.decayFactor)
      guard strength != 0, (parameter.settings.regularization ?? usual) == .l1Winograd,
        let kernels = WinogradKernels(of: parameter), let values = parameter.values.baseAddress
      else { continue }
      let area = kernels.extent * kernels.extent
      var sum = 0.0
      var addition: [Float] = []
      addition.reserveCapacity(parameter.count)
      for start in stride(from: 0, to: parameter.count, by: area) {
        let v = kernels.transformed(values + start)
        sum += v.reduce(0) { $0 + abs($1) }
        addition += kernels.pulledBack(v.map { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }).map {
          Float(strength * $0)
        }
      }
      additions[index] = addition
      terms[index] = strength * sum * Double(area) / Double(kernels.points * kernels.points)
    }
  }

  public func add(
    to parameter: Parameter, index: Int, range: Range<Int>, reportsTerm: Bool
  ) -> Double {
    guard !additions[index].isEmpty, let gradient = parameter.gradient.baseAddress else { return 0 }
    additions[index].withUnsafeBufferPointer { addition in
      for i in range { gradient[i] += addition[i] }
    }
    return reportsTerm && range.lowerBound == 0 ? terms[index] : 0
  }
}

extension WinogradKernels {
  /// The transform for a parameter's kernels; nil if they are not 3x3 or 5x5.
  init?(of parameter: Parameter) {
    let shape = parameter.shape
    guard shape.axes == 4, shape[2] == shape[3] else { return nil }
    self.init(extent: shape[2])
  }
}
