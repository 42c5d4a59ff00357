import IR
import Passes
import TestSupport
import Testing

@testable import Caffe

/// What `sparsec fold` writes.
struct NetWritingFoldedTests {
  @Test(arguments: 0..<UInt64(4)) func `a folded random network comes back to the bit`(
    _ chunk: UInt64
  ) throws {
    var constants = 0
    for seed in chunk * 64..<(chunk + 1) * 64 {
      var options = RandomNetwork.Options()
      options.hasSteps = true
      options.zeros = [.filters, .channels, .filtersAndChannels, .everything]
      let network = try RandomNetwork(seed: seed, options: options)
      let folded = try PassManager(stages: [Pipeline.structure(vocabulary: .caffe)])
        .run(network.graph).graph
      constants += folded.order.count { folded[$0].operation.layer is Constant }
      let rewritten = try Rewritten(folded)
      try expectSameResults(
        folded, rewritten.graph, inputs: try network.inputs(seed: seed), "seed \(seed)")
      let names = network.graph.outputs.map { network.graph[$0].name }
      // A file has each blob once, and an input keeps its name before an output.
      let all = names + network.graph.inputs.map { network.graph[$0].name }
      if Set(all).count == all.count {
        #expect(rewritten.graph.outputs.map { rewritten.graph[$0].name } == names, "seed \(seed)")
      }
      let again = try NetWriter.write(rewritten.graph)
      #expect(again.definition.text == rewritten.written.definition.text, "seed \(seed)")
    }
    #expect(constants > 0)
  }
}
