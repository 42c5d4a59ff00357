import IR

/// Pruning in the Winograd domain (SkimCaffe, L1_Winograd): behind each update every kernel w is transformed to
/// v = G w Gᵀ; points up to the threshold become zero, and w becomes the kernel nearest to what is left.
///
/// The result is a projection: G w Gᵀ is again mostly not zero, but small where it was pruned. What can be left out
/// shows when the transform is thresholded again.
public final class WinogradPruning: Sparsifier {
  private let parameters: [Parameter]
  /// The places of what is pruned, and its transform.
  private let pruned: [(index: Int, kernels: WinogradKernels)]
  private let threshold: Double
  private let adjusts: Bool
  private let factor: Double

  /// - Parameters:
  ///   - fields: `prune_threshold`, `winograd_adjust_threshold` (whether the threshold is multiplied by how far a weight
  ///     moves with the point), and `winograd_sparsity_factor` (not 0: kernels are moved towards zeros of their pruned
  ///     points by regularised least squares instead of projected).
  ///   - usual: the kind of penalty for parameters that name none.
  public init(_ fields: ForkFields, usual: Regularization, parameters: [Parameter]) {
    self.parameters = parameters
    threshold = Double(fields.pruneThreshold)
    adjusts = fields.adjustsWinogradThreshold
    factor = Double(fields.winogradSparsityFactor)
    pruned = parameters.enumerated().compactMap { index, parameter in
      guard (parameter.settings.regularization ?? usual) == .l1Winograd,
        let kernels = WinogradKernels(of: parameter)
      else { return nil }
      return (index, kernels)
    }
  }

  public var name: String { "Winograd pruning" }

  public func endIteration(_ progress: TrainingProgress) {
    guard threshold != 0 else { return }
    for (index, kernels) in pruned {
      guard let values = parameters[index].values.baseAddress else { continue }
      let area = kernels.extent * kernels.extent
      for start in stride(from: 0, to: parameters[index].count, by: area) {
        prune(values + start, kernels)
      }
    }
  }

  private func prune(_ kernel: UnsafeMutablePointer<Float>, _ kernels: WinogradKernels) {
    var v = kernels.transformed(kernel)
    var zeroed: [Int] = []
    for point in v.indices {
      let limit = threshold * (adjusts ? kernels.sensitivity[point] : 1)
      if abs(v[point]) <= limit {
        v[point] = 0
        zeroed.append(point)
      }
    }
    // Without a pruned point the projection is the kernel itself.
    guard !zeroed.isEmpty else { return }
    let area = kernels.extent * kernels.extent
    let result =
      factor == 0
      ? kernels.nearestKernel(v)
      : kernels.kernel(near: (0..<area).map { Double(kernel[$0]) }, pushing: zeroed, by: factor)
    for i in 0..<area { kernel[i] = Float(result[i]) }
  }

  /// The share of points of a parameter's transformed kernels that the threshold makes zero; nil without transform.
  public static func sparsity(of parameter: Parameter, threshold: Float, adjusts: Bool) -> Double? {
    guard let kernels = WinogradKernels(of: parameter), let values = parameter.values.baseAddress
    else { return nil }
    let area = kernels.extent * kernels.extent
    var zeros = 0
    for start in stride(from: 0, to: parameter.count, by: area) {
      let v = kernels.transformed(values + start)
      zeros += v.indices.count {
        abs(v[$0]) <= Double(threshold) * (adjusts ? kernels.sensitivity[$0] : 1)
      }
    }
    return Double(zeros)
      / Double(parameter.count / area * kernels.points * kernels.points)
  }
}
