import Foundation
import IR

/// Element-wise L1 with a threshold, as SkimCaffe has it (Park et al. 2017): behind each update weights of L1 type up to
/// tau become zero. They may grow again.
///
/// With `max_threshold_factor` f >= 2 the threshold is guided: tau = f tau0 / (1 + f |u|), u being the update just
/// applied, so that weights that the data move stay. Below 2 it is `prune_threshold` tau0 itself. ISTA shrinks by
/// learning rate * strength instead, whatever the parameter's rate factor, as SkimCaffe does.
///
/// On weights of the Winograd domain tau0 is multiplied, point by point, by `WinogradDomain.thresholdFactors`
/// (`winograd_adjust_threshold`).
public final class ThresholdPruning: Sparsifier {
  private let threshold: Float
  private let factor: Float
  private let decay: Float
  private let usual: Regularization
  private let prunesL1: Bool
  private let adjusts: Bool
  private var rate: Float = 0

  /// - Parameters:
  ///   - fields: `prune_threshold`, `max_threshold_factor` and `winograd_adjust_threshold`.
  ///   - decay: the solver's weight decay, for ISTA.
  ///   - usual: the kind of penalty for parameters that name none, biases included.
  ///   - prunesL1: whether plain L1 prunes too, as in SkimCaffe.
  public init(_ fields: ForkFields, decay: Float, usual: Regularization, prunesL1: Bool = true) {
    threshold = fields.pruneThreshold
    factor = fields.maximumThresholdFactor
    self.decay = decay
    self.usual = usual
    self.prunesL1 = prunesL1
    adjusts = fields.adjustsWinogradThreshold
  }

  public var name: String { "threshold pruning" }

  public func beginUpdate(_ progress: TrainingProgress) { rate = progress.rate }

  public func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    guard let values = parameter.values.baseAddress, let updates = parameter.gradient.baseAddress
    else { return }
    let (value, update) = (values + range.lowerBound, updates + range.lowerBound)
    switch parameter.settings.regularization ?? usual {
    case .l1:
      guard prunesL1 else { return }
      if adjusts, case .winograd(let kernel) = parameter.settings.slot.domain {
        pruneByPoint(parameter, range, WinogradDomain.thresholdFactors(kernel: kernel))
      } else {
        Self.prune(value, update, count: range.count, threshold: threshold, factor: factor)
      }
    case .softThreshold:
      let amount = rate * decay * parameter.settings.decayFactor
      SoftThreshold.shrink(value, count: range.count, by: amount)
    case .l2, .l1WithSplicing, .l1Winograd: break
    }
  }

  private func pruneByPoint(_ parameter: Parameter, _ range: Range<Int>, _ factors: [Float]) {
    guard let values = parameter.values.baseAddress, let updates = parameter.gradient.baseAddress
    else { return }
    for i in range {
      Self.prune(
        values + i, updates + i, count: 1, threshold: threshold * factors[i % factors.count],
        factor: factor)
    }
  }

  /// The guided threshold on some weights, with the updates just applied to them.
  static func prune(
    _ value: UnsafeMutablePointer<Float>, _ update: UnsafePointer<Float>, count: Int,
    threshold: Float, factor: Float
  ) {
    if factor < 2 {
      for i in 0..<count { value[i] = abs(value[i]) <= threshold ? 0 : value[i] }
    } else {
      let most = factor * threshold
      for i in 0..<count {
        let limit = most / (1 + factor * abs(update[i]))
        value[i] = abs(value[i]) <= limit ? 0 : value[i]
      }
    }
  }
}

/// The proximal step of L1.
enum SoftThreshold {
  /// Every magnitude is `amount` less, at least 0.
  static func shrink(_ value: UnsafeMutablePointer<Float>, count: Int, by amount: Float) {
    guard amount > 0 else { return }
    for i in 0..<count {
      let left = max(abs(value[i]) - amount, 0)
      value[i] = value[i] < 0 ? -left : left
    }
  }
}
