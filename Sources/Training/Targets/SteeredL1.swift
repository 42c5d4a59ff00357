import Foundation
import IR

/// L1 on single weights, by its proximal step (soft thresholding), whose strength follows a target.
///
/// It begins where the weights that shall become zero would do so within the time that there is if nothing held them.
final class SteeredL1: SteeredMethod {
  private let groups: TargetGroups
  private let parameters: [Parameter]
  private let settings: SolverSettings
  private let plan: SparsifyingPlan
  private var steering: [Steering] = []

  init(
    _ groups: TargetGroups, _ parameters: [Parameter], _ settings: SolverSettings,
    _ plan: SparsifyingPlan
  ) {
    self.groups = groups
    self.parameters = parameters
    self.settings = settings
    self.plan = plan
  }

  let name = "steered L1"
  var strengths: [Float] { steering.map(\.strength) }

  func steer(_ states: [ScopeState], _ progress: TrainingProgress) {
    guard !steering.isEmpty else {
      steering = groups.scopes.map { scope in
        Steering(
          scope.sets.map { groups.sets[$0].members[0].parameter }, of: parameters,
          share: scope.share, settings, plan)
      }
      return
    }
    for index in steering.indices { steering[index].follow(states[index], mayRest: false) }
  }

  func endIteration(_ progress: TrainingProgress) {
    let step = progress.rate / max(1 - settings.momentum, 1e-3)
    for (scope, steering) in zip(groups.scopes, steering) where steering.acting > 0 {
      for place in scope.sets {
        let parameter = parameters[groups.sets[place].members[0].parameter]
        guard let values = parameter.values.baseAddress else { continue }
        SoftThreshold.shrink(
          values, count: parameter.count,
          by: step * parameter.settings.rateFactor * steering.acting)
      }
    }
  }

  func finish() { steering = steering.map { _ in Steering(strength: 0) } }

  var state: [UInt8] { MethodState.bytes(of: steering) }

  func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    steering = try MethodState.value(of: state, name)
  }
}
