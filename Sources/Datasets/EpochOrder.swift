import IR

/// The order in which things are visited in one round after the other: as they are, or shuffled
/// anew in each.
struct EpochOrder {
  private let count: Int
  private let isShuffled: Bool
  private let seed: UInt64
  private let round: Int
  private let indices: [Int]

  /// - Parameter seed: rounds of one seed are the same in every run.
  init(count: Int, isShuffled: Bool, seed: UInt64, round: Int = 0) {
    self.count = count
    self.isShuffled = isShuffled
    self.seed = seed
    self.round = round
    // Depending on nothing but seed and round, an order need not be stored to be found again.
    var random = RandomSource(seed: seed, stream: UInt64(round))
    indices = isShuffled ? (0..<count).shuffled(using: &random) : []
  }

  subscript(index: Int) -> Int { isShuffled ? indices[index] : index }

  /// Goes on to the next round, of as many things or of another count.
  mutating func advance(count: Int? = nil) {
    self = EpochOrder(
      count: count ?? self.count, isShuffled: isShuffled, seed: seed, round: round + 1)
  }

  fileprivate var state: (seed: Int, round: Int) { (Int(truncatingIfNeeded: seed), round) }
}

extension SourceStateWriter {
  mutating func append(_ order: EpochOrder) {
    append(order.state.seed)
    append(order.state.round)
  }
}

extension SourceStateReader {
  /// The order that was written, of as many things.
  mutating func order(count: Int, isShuffled: Bool) -> EpochOrder? {
    guard let seed = number(), let round = number(in: 0..<Int(Int32.max)) else { return nil }
    return EpochOrder(
      count: count, isShuffled: isShuffled, seed: UInt64(truncatingIfNeeded: seed), round: round)
  }
}
