import Foundation
import IR
import Passes
import TestSupport

/// A random network with the zeros that structure passes look for, and inputs for it.
struct SparseNetwork {
  let seed: Int
  let graph: Graph
  let inputs: [ValueID: Tensor]

  /// The network of a seed: of integers and binary fractions, or of real numbers.
  init(seed: Int, isExact: Bool) throws {
    let options = RandomNetwork.Options.sparse(seed: seed, isExact: isExact)
    let network = try RandomNetwork(seed: UInt64(seed), options: options)
    self.seed = seed
    graph = network.graph
    inputs = try network.inputs(seed: UInt64(seed) + 1, items: 1 + seed % 2)
  }

  /// How many networks a test of `count` tries: more if SPARSEC_STRUCTURE_NETS, a factor, says so.
  static func many(_ count: Int) -> Int {
    let factor = ProcessInfo.processInfo.environment["SPARSEC_STRUCTURE_NETS"].flatMap { Int($0) }
    return count * max(1, factor ?? 1)
  }
}

/// A way to run passes that must not change what a network computes.
struct Rewrite: Sendable, CustomStringConvertible {
  let description: String
  let stages: [PassStage]

  /// All passes together, what `fold` runs, and each structure pass by itself.
  static let all =
    [
      Rewrite(description: "all passes", stages: Pipeline.standard),
      Rewrite(description: "passes for Caffe", stages: [Pipeline.structure(vocabulary: .caffe)]),
    ]
    + Pipeline.structure(vocabulary: .everything).passes.map { pass in
      Rewrite(description: pass.name, stages: [PassStage([pass])])
    }

  func callAsFunction(_ graph: Graph) throws -> (graph: Graph, reports: [PassReport]) {
    try PassManager(stages: stages).run(graph)
  }
}
