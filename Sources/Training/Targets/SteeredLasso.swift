import Foundation
import IR

/// Group lasso whose zeros follow a target.
///
/// All groups of a scope shrink by a penalty of one strength, times the square root of their elements so that groups of
/// different sizes compare (Yuan and Lin 2006); it is such that what shall become zero would do so within the time that
/// there is if nothing held it. That alone seldom ends at the wanted share: stronger, it weakens every group and the net
/// with them before any is zero. So the smallest groups, as many as shall be zero by now, are pressed on top, harder at
/// each look that they outlive (growing regularisation, Wang et al. 2021), while the others are left to take over.
final class SteeredLasso: SteeredMethod {
  private let groups: TargetGroups
  private let parameters: [Parameter]
  private let settings: SolverSettings
  private let plan: SparsifyingPlan
  /// The strength of the penalty on all groups, by scope.
  private var base: [Float] = []
  /// How much shorter each update makes the groups that are pressed, by set and group; 0 for the others.
  private var pressures: [[Float]] = []
  /// In how many looks a group that is pressed for the first time would be zero if nothing held it.
  private static let patience: Float = 2

  init(
    _ groups: TargetGroups, _ parameters: [Parameter], _ settings: SolverSettings,
    _ plan: SparsifyingPlan
  ) {
    self.groups = groups
    self.parameters = parameters
    self.settings = settings
    self.plan = plan
  }

  let name = "steered group lasso"
  var strengths: [Float] { base }

  func steer(_ states: [ScopeState], _ progress: TrainingProgress) {
    if base.isEmpty {
      base = groups.scopes.map { start(of: $0) }
      pressures = groups.sets.map { [Float](repeating: 0, count: $0.count) }
    }
    for (scope, state) in zip(groups.scopes, states) { press(scope, to: state.wanted) }
  }

  private func start(of scope: TargetGroups.Scope) -> Float {
    let norms = scope.sets.flatMap { groups.norms(of: groups.sets[$0], parameters).array }.sorted()
    let rank = min(norms.count - 1, Int(scope.share * Double(norms.count)))
    let reach = settings.baseRate * Float(max(plan.full - plan.begin, 1))
    return max(norms[rank] * (1 - settings.momentum) / max(reach, 1e-12), 1e-12)
  }

  /// Presses the smallest groups of a scope, as many as shall be zero by now.
  private func press(_ scope: TargetGroups.Scope, to share: Double) {
    let doomed = groups.survivors(in: scope, parameters, share: share)
    for (place, kept) in zip(scope.sets, doomed) {
      let set = groups.sets[place]
      let norms = set.squares(in: parameters)
      for (group, isKept) in kept.enumerated() {
        let norm = Float(norms[group].squareRoot())
        if isKept {
          pressures[place][group] = 0
        } else if norm > 0 {
          let gentle = norm / (Self.patience * Float(plan.interval))
          pressures[place][group] = max(2 * pressures[place][group], gentle)
        }
      }
    }
  }

  func endIteration(_ progress: TrainingProgress) {
    guard !base.isEmpty else { return }
    let step = progress.rate / max(1 - settings.momentum, 1e-3)
    for (scope, strength) in zip(groups.scopes, base) where strength > 0 {
      for place in scope.sets {
        let set = groups.sets[place]
        let factor = parameters[set.members[0].parameter].settings.rateFactor
        let amount = step * factor * strength * Float(set.area).squareRoot()
        let pressure = pressures[place]
        ProximalGroupLasso.shrink(set, parameters) { amount + pressure[$0] }
      }
    }
  }

  func finish() {
    base = groups.scopes.map { _ in 0 }
    pressures = []
  }

  private struct State: Codable {
    var base: [Float]
    var pressures: [[Float]]
  }

  var state: [UInt8] { deferredState()() }

  func deferredState() -> () -> [UInt8] {
    let saved = State(base: base, pressures: pressures)
    return { MethodState.bytes(of: saved) }
  }

  func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: State = try MethodState.value(of: state, name)
    (base, pressures) = (saved.base, saved.pressures)
  }
}
