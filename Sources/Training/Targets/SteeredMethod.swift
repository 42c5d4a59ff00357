import Foundation
import IR

/// How far a scope of a target is.
struct ScopeState: Hashable, Sendable {
  /// The share of zeros that is wanted now, and the one that is there.
  var wanted: Double
  var reached: Double
  /// The share that is wanted in the end.
  var final: Double
}

/// A method whose strength can be changed on the way, so that it reaches a wanted share of zeros.
protocol SteeredMethod: Sparsifier {
  /// Changes its strength, given the state of each scope of its target.
  func steer(_ states: [ScopeState], _ progress: TrainingProgress)

  /// Its strength by scope, for people.
  var strengths: [Float] { get }

  /// Ends its work: no dense weights live on, no penalty acts.
  func finish()
}

/// The strength of a penalty on single weights on its way to a target: it grows while there are too few zeros, and while
/// there are enough it falls, or rests where something else holds the zeros.
struct Steering: Hashable, Sendable, Codable {
  /// What acts when it does not rest.
  private(set) var strength: Float
  private var rests = false
  /// How many doublings or halvings an error of 1 asks for at each look, and the most of one look.
  private static let gain = 4.0
  private static let most = 0.25

  init(strength: Float) { self.strength = strength }

  /// What takes the weight at the wanted rank to zero in the time that there is, if nothing holds it.
  init(
    _ indices: [Int], of parameters: [Parameter], share: Double, _ settings: SolverSettings,
    _ plan: SparsifyingPlan
  ) {
    let arrays = indices.map { parameters[$0].values }
    let count = arrays.reduce(0) { $0 + $1.count }
    let reach = settings.baseRate * Float(max(plan.full - plan.begin, 1))
    guard count > 0 else {
      self.init(strength: 0)
      return
    }
    let rank = min(count, Int(share * Double(count)) + 1)
    let size = Float(bitPattern: MagnitudeSelection.threshold(of: arrays, rank: rank).key)
    self.init(strength: max(size * (1 - settings.momentum) / max(reach, 1e-12), 1e-12))
  }

  /// What acts now.
  var acting: Float { rests ? 0 : strength }

  /// - Parameter mayRest: whether zeros stay without a penalty; where only the penalty makes them, none would be left at
  ///   the next look.
  mutating func follow(_ state: ScopeState, mayRest: Bool) {
    rests = mayRest && state.reached >= state.wanted
    guard !rests else { return }
    let change = Self.gain * (state.wanted - state.reached)
    strength *= Float(exp2(max(-Self.most, min(change, Self.most))))
  }
}
