import IR
import Passes
import TestSupport
import Testing

/// Laws of the structure passes over random networks.
struct PropertyTests {
  static let chunk = 50
  static let exactChunks = SparseNetwork.many(40)
  static let realChunks = SparseNetwork.many(10)

  /// The proof that folding is exact. Where nothing was rounded, before and after, equal floats are equal
  /// rational numbers; -0 is 0.
  @Test(arguments: 0..<exactChunks)
  func `in rational arithmetic nothing changes`(chunk: Int) throws {
    var counted = 0
    for seed in chunk * Self.chunk..<(chunk + 1) * Self.chunk {
      let network = try SparseNetwork(seed: seed, isExact: true)
      let old = try ExactEvaluation(network.graph, inputs: network.inputs)
      // A network that rounds proves nothing here; those of real numbers have a test of their own.
      guard old.isExact else { continue }
      var isExact = true
      for rewrite in Rewrite.all {
        let after = try rewrite(network.graph).graph
        let new = try ExactEvaluation(after, inputs: network.inputs)
        let comparison = GraphComparison(network.graph, old, after, new, tolerance: 0)
        #expect(comparison.differences == [], "seed \(seed), \(rewrite)")
        isExact = isExact && comparison.isExact
      }
      if isExact { counted += 1 }
    }
    #expect(counted >= Self.chunk * 9 / 10, "too few networks are exact for a proof")
  }

  /// Constants are rounded once where they are folded, sums are taken in another order.
  @Test(arguments: 0..<realChunks)
  func `real numbers change by rounding only`(chunk: Int) throws {
    for seed in chunk * Self.chunk..<(chunk + 1) * Self.chunk {
      let network = try SparseNetwork(seed: seed, isExact: false)
      let old = try ExactEvaluation(network.graph, inputs: network.inputs)
      for rewrite in Rewrite.all {
        let after = try rewrite(network.graph).graph
        let new = try ExactEvaluation(after, inputs: network.inputs)
        let comparison = GraphComparison(
          network.graph, old, after, new, tolerance: 1e-4, residue: 1e-3)
        #expect(comparison.differences == [], "seed \(seed), \(rewrite)")
      }
    }
  }

  @Test func `what is written for Caffe has Caffe's layers only`() throws {
    for seed in 0..<500 {
      let graph = try SparseNetwork(seed: seed, isExact: true).graph
      let stage = Pipeline.structure(vocabulary: .caffe)
      let folded = try PassManager(stages: [stage]).run(graph).graph
      for id in folded.order {
        switch folded[id].operation {
        case .borderBias: Issue.record("seed \(seed): \(folded[id].name)")
        case .lrn(let layer): #expect(layer.positions == nil, "seed \(seed)")
        default: break
        }
      }
    }
  }
}
