import Foundation
import IR

/// Random numbers that are the same for the same seed on every machine: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A multiple of 2^-24 in 0 ..< 1.
  mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }
}

/// Random inputs of networks.
enum RandomInput {
  /// `count` numbers in 0 ..< 1.
  ///
  /// Not below 0, so that a network that takes them for indices finds entry 0.
  static func unit(count: Int, generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in generator.unit() }
  }

  /// A value for an input of a graph: numbers in -1 ..< 1, or valid indices if a layer takes it for
  /// such.
  static func values(
    for input: ValueID, in graph: Graph, generator: inout SeededGenerator
  ) -> [Float] {
    let limit = indexLimit(of: input, in: graph)
    return (0..<graph[input].shape.count).map { _ in
      let unit = generator.unit()
      return limit.map { (unit * Float($0)).rounded(.down) } ?? 2 * unit - 1
    }
  }

  /// The number of entries that an input chooses from; nil if it holds no indices.
  private static func indexLimit(of input: ValueID, in graph: Graph) -> Int? {
    var limit: Int?
    for id in graph.consumers(of: input) {
      let node = graph[id]
      var found: Int?
      if case .embed(let embed) = node.operation { found = embed.rows }
      if case .batchReindex = node.operation, node.inputs.count == 2, node.inputs[1] == input {
        found = graph[node.inputs[0]].shape[0]
      }
      if let found { limit = min(limit ?? found, found) }
    }
    return limit
  }
}
