import Foundation
import IR

/// Dynamic network surgery as its reimplementation does it (dns-h).
///
/// In update t, with probability (1 + gamma t)^-power, each layer masks the weights that lie within `threshold`
/// standard deviations of their mean, both taken of all its dense weights then; the rest is shown. Biases are left
/// alone. The net computes with masked weights, the updates go to the dense ones.
///
/// In dns-h each test sets masked dense weights to zero for good; here only if asked for.
public final class ReimplementedSurgery: Sparsifier {
  private let sites: [(index: Int, threshold: Float)]
  private var weights: HiddenWeights
  private let parameters: [Parameter]
  private let gamma: Float
  private let power: Float
  private let forgetsInTests: Bool
  private var random: RandomSource
  private var isDue = false

  /// - Parameters:
  ///   - parameters: of the net; those whose fields ask for this method take part.
  ///   - fields: `surgery_iter_gamma` and `surgery_iter_power`.
  ///   - random: what surgery is drawn from.
  public init(_ parameters: [Parameter], _ fields: ForkFields, random: RandomSource) {
    self.parameters = parameters
    sites = parameters.enumerated().compactMap { index, parameter in
      guard case .reimplemented(let threshold) = parameter.settings.sparsity.surgery else {
        return nil
      }
      return (index, threshold)
    }
    weights = HiddenWeights(sites.map(\.index), of: parameters)
    gamma = fields.surgeryGamma
    power = fields.surgeryPower
    forgetsInTests = fields.surgeryForgetsInTests
    self.random = random
  }

  public var name: String { "reimplemented network surgery" }
  public var hidesDenseWeights: Bool { true }
  public func mask(of index: Int) -> [Bool]? { weights.masks[index] }
  public func adopt(_ mask: [Bool], of index: Int) -> Bool { weights.adopt(mask, of: index) }

  public func beginIteration(_ progress: TrainingProgress) {
    let draw = random.unit()
    isDue =
      powf(1 + gamma * Float(progress.iteration), -power) > draw
      && progress.iteration < progress.maximumIterations
  }

  public func beforeForward(_ progress: TrainingProgress) {
    if isDue { operate() }
    weights.hide()
  }

  public func afterBackward(_ progress: TrainingProgress) { weights.reveal() }

  public func beforeTest() {
    if forgetsInTests { weights.forget() }
    weights.hide()
  }

  public func afterTest() { weights.reveal() }

  private func operate() {
    for (index, threshold) in sites {
      let values = parameters[index].values
      let count = Double(values.count)
      let mean = values.reduce(0.0) { $0 + Double($1) } / count
      let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
      let width = Double(threshold) * variance.squareRoot()
      let (low, high) = (Float(mean - width), Float(mean + width))
      weights.update(index) { value, _ in !(low < value && value < high) }
    }
  }

  public var state: [UInt8] { random.bytes }

  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    guard let random = RandomSource(bytes: state) else {
      throw .error("what the snapshot says about \(name) can not be read")
    }
    try weights.restore(masks)
    self.random = random
  }
}
