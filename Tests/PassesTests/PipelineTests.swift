import IR
import Passes
import Reference
import TestSupport
import Testing

/// Laws that hold for the whole pipeline, and for each pass by itself.
struct PipelineTests {
  @Test(arguments: 0..<150)
  func `a random network computes the same behind all passes`(seed: Int) throws {
    var options = RandomNetwork.Options()
    options.mixesItems = seed % 3 == 0
    let graph = try RandomNetwork(seed: UInt64(seed), options: options).graph
    let after = try PassManager().run(graph).graph
    try Equivalence(before: graph, after: after).check(seed: UInt64(seed), tolerance: 1e-4)
  }

  /// Without BatchNorm's square roots every pass moves integers only.
  @Test(arguments: 1000..<1100)
  func `on integers not a bit changes`(seed: Int) throws {
    var options = RandomNetwork.Options()
    options.isExact = true
    options.hasSteps = true
    let graph = try RandomNetwork(seed: UInt64(seed), options: options).graph
    let after = try PassManager().run(graph).graph
    try Equivalence(before: graph, after: after).check(seed: UInt64(seed), tolerance: 0)
  }

  @Test(arguments: 2000..<2060)
  func `transforms of the Winograd domain compute the same behind all passes`(seed: Int) throws {
    var options = RandomNetwork.Options()
    options.transforms = 0.9
    options.kinds = [.convolution, .residual, .inception, .pooling, .bottleneck, .constantBranch]
    options.structuredZeros = 0.5
    let graph = try RandomNetwork(seed: UInt64(seed), options: options).graph
    let after = try PassManager().run(graph).graph
    try Equivalence(before: graph, after: after).check(seed: UInt64(seed), tolerance: 1e-4)
  }

  @Test(arguments: 0..<40)
  func `passes have nothing left to do the second time`(seed: Int) throws {
    let graph = try RandomNetwork(seed: UInt64(seed)).graph
    let once = try PassManager().run(graph).graph
    let (twice, reports) = try PassManager().run(once)
    #expect(twice == once)
    // The columns that kernels leave out are counted every time: the graph keeps them.
    let rewriters = reports.filter { $0.name != "squeeze-columns" }
    #expect(rewriters.allSatisfy { $0.layers == 0 && $0.bytes == 0 })
  }

  @Test func `passes that are disabled do not run, the others report in order`() throws {
    let graph = try RandomNetwork(seed: 5).graph
    var seen: [String] = []
    let manager = PassManager(disabled: ["fuse-activations"]) { name, _ in seen.append(name) }
    let reports = try manager.run(graph).reports
    #expect(reports.map(\.name) == Pipeline.names.filter { $0 != "fuse-activations" })
    // Stages that repeat show a pass several times, but report on it once.
    let firsts = seen.indices.filter { !seen[..<$0].contains(seen[$0]) }.map { seen[$0] }
    #expect(firsts == reports.map(\.name))
  }

  @Test func `a window far larger than its image takes no memory in proportion`() throws {
    var (graph, data) = try Graph.image()
    let node = try graph.append(
      .convolution(Convolution(filters: 2, window: Window(kernel: [1, 1]))), name: "dead",
      inputs: [data],
      parameters: [
        Tensor(shape: try Shape([2, 2, 1, 1]), repeating: 0),
        Tensor(shape: .vector(2), values: [1, 2]),
      ], outputNames: ["dead"])
    let dead = graph[node].outputs[0]
    let layer = LRN(size: 46341, alpha: 1, beta: 0.75, region: .withinChannel)
    graph.setOutputs([try graph.add(.lrn(layer), "lrn", [dead])])
    let after = try PassManager().run(graph).graph
    #expect(after.order.map { after[$0].operation.layer.typeName } == ["Constant"])
  }

  @Test func `names are unique and fit the command line`() {
    #expect(Set(Pipeline.names).count == Pipeline.names.count)
    #expect(Pipeline.names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "-" } })
  }

  @Test func `a pass that breaks the graph is found out`() throws {
    struct Breaker: Pass {
      let name = "breaker"
      func run(_ graph: Graph) throws(PassError) -> PassOutcome {
        var broken = graph
        broken.remove(graph.order[0])
        return PassOutcome(graph: broken)
      }
    }
    var (graph, data) = try Graph.image()
    let relu = try graph.add(.elementwise(Elementwise(.relu(slope: 0))), "relu", [data])
    graph.setOutputs([relu])
    #expect {
      _ = try PassManager(passes: [Breaker()]).run(graph)
    } throws: { error in
      "\(error)".contains("after breaker") && "\(error)".contains("never made")
    }
  }
}
