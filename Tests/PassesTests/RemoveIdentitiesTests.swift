import IR
import Passes
import Testing

struct RemoveIdentitiesTests {
  let pass = RemoveIdentities()

  @Test func `drops Dropout, Split and Silence between other layers`() throws {
    var (graph, data) = try Graph.image()
    let relu = try graph.add(.elementwise(Elementwise(.relu(slope: 0))), "relu", [data])
    let dropped = try graph.add(.identity(Identity(of: "Dropout")), "drop", [relu])
    let node = try graph.append(
      .split(Split(copies: 2)), name: "split", inputs: [dropped], outputNames: ["a", "b"])
    let (a, b) = (graph[node].outputs[0], graph[node].outputs[1])
    let sum = try graph.add(.eltwise(Eltwise(.sum(coefficients: [1, 1]))), "sum", [a, b])
    _ = try graph.add(.silence(Silence()), "silence", [b], outputs: [])
    graph.setOutputs([sum])
    let outcome = try pass.run(graph)
    #expect(outcome.graph.layers == ["relu:ReLU", "sum:Eltwise"])
    #expect(outcome.findings.map(\.layer) == ["drop", "split", "silence"])
    #expect(outcome.findings.allSatisfy { $0.kind == .removed })
    try Equivalence(before: graph, after: outcome.graph).check(seed: 1, tolerance: 0)
  }

  @Test func `an output that Dropout made keeps its name`() throws {
    var (graph, data) = try Graph.image()
    let relu = try graph.add(.elementwise(Elementwise(.relu(slope: 0))), "relu", [data])
    let dropped = try graph.add(.identity(Identity(of: "Dropout")), "drop", [relu])
    graph.setOutputs([dropped])
    let outcome = try pass.run(graph)
    #expect(outcome.graph.layers == ["relu:ReLU"])
    #expect(outcome.graph.outputs.map { outcome.graph[$0].name } == ["drop"])
    try Equivalence(before: graph, after: outcome.graph).check(seed: 2, tolerance: 0)
  }

  @Test func `copies that are both outputs stay, with the reason`() throws {
    var (graph, data) = try Graph.image()
    let relu = try graph.add(.elementwise(Elementwise(.relu(slope: 0))), "relu", [data])
    let node = try graph.append(
      .split(Split(copies: 2)), name: "split", inputs: [relu], outputNames: ["a", "b"])
    graph.setOutputs(graph[node].outputs)
    let outcome = try pass.run(graph)
    #expect(outcome.graph.layers == ["relu:ReLU", "split:Split"])
    #expect(outcome.findings.map(\.kind) == [.kept])
  }

  @Test func `an input that is passed on as an output stays behind its layer`() throws {
    var (graph, data) = try Graph.image()
    let dropped = try graph.add(.identity(Identity(of: "Dropout")), "drop", [data])
    graph.setOutputs([dropped])
    let outcome = try pass.run(graph)
    #expect(outcome.graph.layers == ["drop:Dropout"])
  }
}
