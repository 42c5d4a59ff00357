import Foundation
import IR

/// Group lasso, or L1 where groups are single weights, whose strength follows a target.
///
/// All groups of a scope have one strength, times the square root of their elements so that groups of different sizes
/// compare (Yuan and Lin 2006). It begins where the groups that shall become zero would do so within the time that there
/// is if nothing held them.
final class SteeredLasso: SteeredMethod {
  private let groups: TargetGroups
  private let parameters: [Parameter]
  private let settings: SolverSettings
  private let plan: SparsifyingPlan
  private var steering: [Steering] = []
  /// How far a penalty of strength 1 moves a weight in one update.
  private var step: Float = 0
  /// How many looks ahead `coming` looks.
  private static let lookAhead = 4

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
  var strengths: [Float] { steering.map(\.strength) }

  func steer(_ states: [ScopeState], _ progress: TrainingProgress) {
    guard !steering.isEmpty else {
      steering = groups.scopes.map { Steering(strength: start(of: $0)) }
      return
    }
    for index in steering.indices {
      steering[index].follow(states[index], coming: coming(index))
    }
  }

  /// The share of groups that would be zero a few looks from now if nothing held them.
  private func coming(_ index: Int) -> Double {
    let reach = Double(step * steering[index].strength) * Double(Self.lookAhead * plan.interval)
    var (near, count) = (0, 0)
    for place in groups.scopes[index].sets {
      let norms = normsPerElement(groups.sets[place])
      near += norms.count { $0 <= reach }
      count += norms.count
    }
    return Double(near) / Double(max(count, 1))
  }

  private func normsPerElement(_ set: WeightGroups) -> [Double] {
    set.squares(in: parameters).map { ($0 / Double(set.area)).squareRoot() }
  }

  private func start(of scope: TargetGroups.Scope) -> Float {
    let norms = scope.sets.flatMap { normsPerElement(groups.sets[$0]) }.sorted()
    let rank = min(norms.count - 1, Int(scope.share * Double(norms.count)))
    let reach = Double(settings.baseRate) * Double(max(plan.full - plan.begin, 1))
    let start = norms[rank] * Double(1 - settings.momentum) / max(reach, 1e-12)
    return Float(max(start, 1e-12))
  }

  func endIteration(_ progress: TrainingProgress) {
    step = progress.rate / max(1 - settings.momentum, 1e-3)
    for (scope, steering) in zip(groups.scopes, steering) where steering.acting > 0 {
      for place in scope.sets {
        let set = groups.sets[place]
        let factor = parameters[set.members[0].parameter].settings.rateFactor
        let amount = step * factor * steering.acting
        if set.isElementwise {
          shrinkElements(of: parameters[set.members[0].parameter], by: amount)
        } else if groups.structure == .depth || !isNearlyEmpty(set) {
          ProximalGroupLasso.shrink(set, by: amount * Float(set.area).squareRoot(), parameters)
        }
      }
    }
  }

  private func shrinkElements(of parameter: Parameter, by amount: Float) {
    let values = parameter.values
    for i in values.indices {
      let left = max(abs(values[i]) - amount, 0)
      values[i] = values[i] < 0 ? -left : left
    }
  }

  /// Whether only one group of a layer lives: it stays, since a layer of zeros cuts the net.
  private func isNearlyEmpty(_ set: WeightGroups) -> Bool {
    set.squares(in: parameters).count { $0 > 0 } <= 1
  }

  func finish() { steering = groups.scopes.map { _ in Steering(strength: 0) } }

  private struct State: Codable {
    var steering: [Steering]
    var step: Float
  }

  var state: [UInt8] { MethodState.bytes(of: State(steering: steering, step: step)) }

  func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: State = try MethodState.value(of: state, name)
    (steering, step) = (saved.steering, saved.step)
  }
}
