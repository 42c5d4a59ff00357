import IR

/// Tells when training has gone wrong for good: a loss that is no number, or far above all that came before.
struct DivergenceGuard {
  /// How far above the level of the first losses a loss may rise.
  static let factor: Float = 1e4
  /// How many losses make the level.
  static let window = 20
  /// Levels below this count as this: the first losses of a resumed run may be tiny.
  static let leastLevel: Float = 0.01

  private var count = 0
  private var level: Float = 0

  enum Verdict: Hashable {
    case good
    case notFinite
    /// The level it rose from.
    case exploded(Float)
  }

  mutating func judge(_ loss: Float) -> Verdict {
    guard loss.isFinite else { return .notFinite }
    if count > 0 {
      let usual = max(level, Self.leastLevel)
      if abs(loss) > Self.factor * usual { return .exploded(usual) }
    }
    if count < Self.window {
      count += 1
      level += (abs(loss) - level) / Float(count)
    }
    return .good
  }
}
