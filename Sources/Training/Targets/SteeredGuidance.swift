import Foundation
import IR

/// SkimCaffe's guided pruning (Park et al. 2017), whose L1 strength follows a target: L1 and the guided threshold act
/// where zeros pay, on windows of more than one place and inner products, and not on the first convolution.
///
/// L1 acts by its proximal step: with the sub-gradient, weights swing around zero by more than the threshold as soon as
/// the strength has grown. It adds to the weight decay that the solver asks for.
final class SteeredGuidance: SteeredMethod {
  /// `max_threshold_factor` and `prune_threshold` of the published solvers.
  static let factor: Float = 10
  static let threshold: Float = 1e-4

  private let groups: TargetGroups
  private let parameters: [Parameter]
  private let settings: SolverSettings
  private let plan: SparsifyingPlan
  /// The scope of each parameter that is guided.
  private let scope: [Int?]
  private var steering: [Steering] = []
  /// How far a penalty of strength 1 moves a weight in one update.
  private var step: Float = 0

  init(
    _ groups: TargetGroups, _ parameters: [Parameter], in net: TrainingNet,
    _ settings: SolverSettings, _ plan: SparsifyingPlan
  ) {
    self.groups = groups
    self.parameters = parameters
    self.settings = settings
    self.plan = plan
    var scope: [Int?] = parameters.map { _ in nil }
    for (number, sets) in groups.scopes.map(\.sets).enumerated() {
      for place in sets {
        let index = groups.sets[place].members[0].parameter
        if Self.pays(parameters[index], in: net) { scope[index] = number }
      }
    }
    self.scope = scope
  }

  /// Whether zeros of some weights make a compiled net faster (GESL).
  private static func pays(_ parameter: Parameter, in net: TrainingNet) -> Bool {
    let shape = parameter.shape
    guard shape.axes > 2 else { return true }
    let first = net.layers.first { layer in
      if case .operation(.convolution) = layer.operation { true } else { false }
    }
    return shape.count(from: 2) > 1 && parameter.layer != first?.name
  }

  let name = "steered guided pruning"
  var strengths: [Float] { steering.map(\.strength) }

  func steer(_ states: [ScopeState], _ progress: TrainingProgress) {
    guard !steering.isEmpty else {
      steering = groups.scopes.indices.map { number in
        Steering(
          parameters.indices.filter { scope[$0] == number }, of: parameters,
          share: groups.scopes[number].share, settings, plan)
      }
      return
    }
    for index in steering.indices { steering[index].follow(states[index], mayRest: true) }
  }

  func beginUpdate(_ progress: TrainingProgress) {
    step = progress.rate / max(1 - settings.momentum, 1e-3)
  }

  func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    guard let number = scope[index], number < steering.count, steering[number].strength > 0,
      let values = parameter.values.baseAddress, let updates = parameter.gradient.baseAddress
    else { return }
    let (value, update) = (values + range.lowerBound, updates + range.lowerBound)
    let amount = step * parameter.settings.rateFactor * steering[number].acting
    SoftThreshold.shrink(value, count: range.count, by: amount)
    ThresholdPruning.prune(
      value, update, count: range.count, threshold: Self.threshold, factor: Self.factor)
  }

  func finish() { steering = groups.scopes.map { _ in Steering(strength: 0) } }

  var state: [UInt8] { MethodState.bytes(of: steering) }

  func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    steering = try MethodState.value(of: state, name)
  }
}
