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

/// The strength of a penalty on its way to a target: it rests while there are zeros enough, and grows while too few are
/// there or about to come.
struct Steering: Hashable, Sendable, Codable {
  /// What acts when it does not rest.
  private(set) var strength: Float
  private var rests = false
  /// How many doublings an error of 1 asks for at each look, and the most of one look.
  private static let gain = 4.0
  private static let most = 0.25

  init(strength: Float) { self.strength = strength }

  /// What acts now.
  var acting: Float { rests ? 0 : strength }

  /// - Parameter coming: the share of zeros that will be there before long if nothing changes.
  mutating func follow(_ state: ScopeState, coming: Double) {
    rests = state.reached >= state.wanted
    guard !rests, coming < state.wanted else { return }
    strength *= Float(exp2(min(Self.gain * (state.wanted - coming), Self.most)))
  }
}
