import IR
import Passes
import TestSupport
import Testing

/// Whether the laws of `PropertyTests` are put to the test at all.
struct CoverageTests {
  static let structure = Pipeline.structure(vocabulary: .everything)

  @Test func `every kind of fold happens often`() throws {
    var counts: [Fold: Int] = [:]
    for seed in 0..<1000 {
      let graph = try SparseNetwork(seed: seed, isExact: true).graph
      var folds: Set<Fold> = []
      for rewrite in Rewrite.all.prefix(2) {
        let (after, reports) = try rewrite(graph)
        folds.formUnion(FoldCensus(graph, after, reports).folds)
      }
      for fold in folds { counts[fold, default: 0] += 1 }
    }
    for fold in Fold.allCases {
      #expect(counts[fold, default: 0] >= fold.floor, "\(fold)")
    }
  }

  /// A network that gives the same for all inputs would agree with almost anything.
  @Test func `half of the networks depend on their input`() throws {
    var alive = 0
    for seed in 0..<200 {
      let network = try SparseNetwork(seed: seed, isExact: true)
      let others = network.inputs.mapValues { tensor in
        Tensor(shape: tensor.shape, values: tensor.values.map { 1 - $0 })
      }
      let (a, b) = (
        try ExactEvaluation(network.graph, inputs: network.inputs),
        try ExactEvaluation(network.graph, inputs: others)
      )
      if network.graph.outputs.contains(where: { a.values[$0] != b.values[$0] }) { alive += 1 }
    }
    #expect(alive >= 100)
  }

  @Test(arguments: 0..<8)
  func `passes have nothing left to do the second time`(chunk: Int) throws {
    for seed in chunk * 50..<(chunk + 1) * 50 {
      let graph = try SparseNetwork(seed: seed, isExact: seed % 2 == 0).graph
      for rewrite in Rewrite.all {
        let once = try rewrite(graph).graph
        #expect(try rewrite(once).graph == once, "seed \(seed), \(rewrite)")
      }
    }
  }

  // MARK: The comparison would notice

  /// A mistake that a pass might make.
  enum Mistake: CaseIterable {
    /// What constants contribute goes into the bias alone, as if there were no border.
    case borderForgotten
    /// Constants are dropped without a trace.
    case biasForgotten
    /// Channels are taken for their neighbours.
    case channelsExchanged

    /// The graph with the mistake made in as many places as possible; nil if there is none.
    func made(in graph: Graph, insteadOf before: Graph) -> Graph? {
      var wrong = graph
      for id in graph.order {
        let node = graph[id]
        switch (self, node.operation) {
        case (.borderForgotten, .borderBias):
          let zeros = Tensor(shape: node.parameters[0].shape, repeating: 0)
          wrong.update(id) { $0.parameters[0] = zeros }
        case (.biasForgotten, .convolution), (.biasForgotten, .innerProduct):
          guard node.parameters.count == 2,
            let original = before.order.first(where: { before[$0].name == node.name })
          else { continue }
          let old = before[original].parameters.dropFirst().first
          // Only layers that kept all filters, whose biases can be compared.
          guard old == nil || old?.shape == node.parameters[1].shape else { continue }
          let bias = old ?? Tensor(shape: node.parameters[1].shape, repeating: 0)
          wrong.update(id) { $0.parameters[1] = bias }
        case (.channelsExchanged, _):
          for output in node.outputs {
            guard let channels = graph[output].channels, channels.count > 1 else { continue }
            wrong.setChannels(channels.reversed(), of: output)
          }
        default: continue
        }
      }
      return wrong == graph ? nil : wrong
    }
  }

  @Test(arguments: Mistake.allCases)
  func `a mistake is noticed`(mistake: Mistake) throws {
    var (made, noticed) = (0, 0)
    for seed in 0..<400 {
      let network = try SparseNetwork(seed: seed, isExact: true)
      let right = try PassManager(stages: [Self.structure]).run(network.graph).graph
      guard let wrong = mistake.made(in: right, insteadOf: network.graph) else { continue }
      made += 1
      let comparison = try GraphComparison(network.graph, wrong, inputs: network.inputs)
      if !comparison.differences.isEmpty { noticed += 1 }
    }
    #expect(made >= 20)
    // Channels that are equal by chance, and tables whose channels nobody needs, cannot be told apart.
    #expect(noticed * 10 >= made * 9)
  }
}
