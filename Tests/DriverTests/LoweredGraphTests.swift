import IR
import Testing

@testable import Driver

struct LoweredGraphTests {
  @Test func `the text shows kernels and layouts where they belong`() throws {
    var graph = Graph(name: "net")
    let input = graph.addInput(name: "data", shape: try Shape([1, 2]))
    let node = try graph.append(
      .innerProduct(InnerProduct(outputs: 1)), name: "ip", inputs: [input],
      parameters: [
        Tensor(shape: try Shape([1, 2]), values: [0, 1]), Tensor(shape: .vector(1), repeating: 0),
      ], outputNames: ["score"])
    graph.setOutputs(graph[node].outputs)
    let choice = KernelChoice(
      kernel: "dot", reason: "small", predictedCost: 1, candidates: [])
    let lowered = LoweredGraph(
      graph: graph, kernels: [node: choice],
      layouts: [graph[node].outputs[0]: .planes(Halo(top: 1, bottom: 1, gap: 2))])
    let hashes = graph[node].parameters.map { String($0.stableHash, radix: 16) }
    #expect(
      lowered.text == """
        graph "net" fixed batch (its batch was not analysed)
          input %0 "data" [1,2]
            layout %0 dense, 2 floats
          "ip" InnerProduct(%0) outputs=1 -> %1 "score" [1,1]
            kernel dot (small)
            layout %1 planes top=1 bottom=1 gap=2, 32 floats
            weights [1,2] nonzero 1/2 hash \(hashes[0])
            bias [1] nonzero 0/1 hash \(hashes[1])
          output %1 "score" [1,1]

        """)
  }
}
