import IR
import Passes
import Testing

struct FuseActivationsTests {
  let pass = FuseActivations()

  private func graph(_ producer: Operation, _ function: ElementwiseFunction) throws -> Graph {
    var (graph, data) = try Graph.image()
    let made = try graph.add(producer, "made", [data])
    let rectified = try graph.add(.elementwise(Elementwise(function)), "relu", [made])
    graph.setOutputs([rectified])
    return graph
  }

  static let convolution = Operation.convolution(
    Convolution(filters: 3, window: Window(kernel: [2, 2])))
  static let product = Operation.innerProduct(InnerProduct(outputs: 4))

  @Test(arguments: [convolution, product], [0, 0.25] as [Float])
  func `ReLU goes into the layer before it`(producer: Operation, slope: Float) throws {
    let graph = try graph(producer, .relu(slope: slope))
    let outcome = try pass.run(graph)
    #expect(outcome.graph.order.count == 1)
    #expect(outcome.graph[outcome.graph.order[0]].fused == [FusedLayer(name: "relu", type: "ReLU")])
    #expect(outcome.graph.outputs.map { outcome.graph[$0].layer } == ["relu"])
    try Equivalence(before: graph, after: outcome.graph).check(seed: 5, tolerance: 0)
  }

  @Test func `ReLU goes into an Eltwise`() throws {
    var (graph, data) = try Graph.image()
    let other = try graph.add(.elementwise(Elementwise(.sigmoid)), "sigmoid", [data])
    let sum = Eltwise(.sum(coefficients: [1, -2]))
    let joined = try graph.add(.eltwise(sum), "sum", [data, other])
    graph.setOutputs([try graph.add(.elementwise(Elementwise(.relu(slope: 0.5))), "relu", [joined])]
    )
    let outcome = try pass.run(graph)
    #expect(outcome.graph.order.count == 2)
    try Equivalence(before: graph, after: outcome.graph).check(seed: 5, tolerance: 0)
  }

  @Test func `other functions stay`() throws {
    let graph = try graph(Self.convolution, .tanh)
    #expect(try pass.run(graph).graph == graph)
  }

  @Test func `a result that others see stays as it is, with the reason`() throws {
    var graph = try graph(Self.convolution, .relu(slope: 0))
    graph.setOutputs(graph.outputs + graph[graph.order[0]].outputs)
    let outcome = try pass.run(graph)
    #expect(outcome.graph == graph)
    #expect(outcome.findings.map(\.kind) == [.kept])
    #expect(outcome.findings[0].reason.contains("alone"))
  }

  @Test func `a convolution over three axes applies no activation`() throws {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 1, 3, 3, 3]))
    let layer = Convolution(filters: 1, window: Window(kernel: [2, 2, 2]))
    let made = try graph.add(.convolution(layer), "made", [data])
    graph.setOutputs([
      try graph.add(.elementwise(Elementwise(.relu(slope: 0))), "relu", [made])
    ])
    #expect(try pass.run(graph).graph == graph)
  }
}
