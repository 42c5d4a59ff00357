import IR
import TestSupport
import Testing

struct DescriptionTests {
  @Test func `a graph as text`() throws {
    var graph = Graph(name: "small")
    let data = graph.addInput(name: "data", shape: try Shape([1, 1, 3, 3]))
    let convolution = try graph.append(
      .convolution(Convolution(filters: 1, window: .square(2, stride: 1, pad: 1))), name: "conv",
      inputs: [data],
      parameters: [
        Tensor(shape: try Shape([1, 1, 2, 2]), values: [1, 0, -0.0, 2]),
        Tensor(shape: .vector(1), repeating: 0),
      ], outputNames: ["conv"])
    graph.update(convolution) {
      $0.fused = [FusedLayer(name: "bn", type: "BatchNorm"), FusedLayer(name: "s", type: "Scale")]
    }
    let parts = try graph.append(
      .slice(Slice(axis: 2, points: [1], parts: 2)), name: "cut",
      inputs: graph[convolution].outputs, outputNames: ["top", "rest"])
    try graph.append(
      .silence(Silence()), name: "hush", inputs: [graph[parts].outputs[1]], outputNames: [])
    try graph.append(
      .reduction(Reduction(operation: .sumOfSquares, axis: 1)), name: "sum",
      inputs: [graph[parts].outputs[0]], outputNames: ["sum"])
    graph.setOutputs([graph.liveValues[4]])
    try graph.settleBatch()
    #expect(
      graph.description == """
        graph "small" per item
          input %0 "data" [1,1,3,3]
          "conv" Convolution(%0) filters=1 kernel=2x2 pad=1x1 fused="bn","s" -> %1 "conv" [1,1,4,4]
            weights [1,1,2,2] nonzero 2/4 hash 1bd78e08cd4e13f5
            bias [1] nonzero 0/1 hash af63bd4c8601b7df
          "cut" Slice(%1) axis=2 points=1 parts=2 -> %2 "top" [1,1,1,4], %3 "rest" [1,1,3,4]
          "hush" Silence(%3)
          "sum" Reduction(%2) operation="sum of squares" axis=1 -> %4 "sum" [1]
          output %4 "sum" [1]

        """)
  }

  @Test(arguments: 0..<40)
  func `equal graphs have equal texts, and other weights another`(seed: UInt64) throws {
    let graph = try RandomNetwork(seed: seed).graph
    #expect(graph.description == (try RandomNetwork(seed: seed).graph.description))
    for node in graph.order where !graph[node].parameters.isEmpty {
      var changed = graph
      changed.update(node) {
        var values = $0.parameters[0].values
        values[values.count - 1] += 1
        $0.parameters[0] = Tensor(shape: $0.parameters[0].shape, values: values)
      }
      #expect(changed.description != graph.description)
    }
  }

  @Test func `every function has its name and its numbers in the dump`() {
    let functions: [(ElementwiseFunction, String)] = [
      (.relu(slope: 0), "ReLU"), (.relu(slope: 0.5), "ReLU slope=0.5"),
      (.elu(alpha: 2), "ELU alpha=2.0"), (.sigmoid, "Sigmoid"), (.tanh, "TanH"),
      (.absoluteValue, "AbsVal"), (.softplus, "BNLL"),
      (.power(power: 2, scale: 1, shift: 0), "Power power=2.0 scale=1.0 shift=0.0"),
      (.exponential(base: nil, scale: 1, shift: 0), "Exp base=e scale=1.0 shift=0.0"),
      (.logarithm(base: 10, scale: 1, shift: 0), "Log base=10.0 scale=1.0 shift=0.0"),
      (.threshold(0.5), "Threshold threshold=0.5"),
      (.clip(low: -1, high: 1), "Clip low=-1.0 high=1.0"), (.swish(beta: 1), "Swish beta=1.0"),
    ]
    for (function, expected) in functions {
      let words = [function.typeName] + function.attributes.map { "\($0.name)=\($0.value)" }
      #expect(words.joined(separator: " ") == expected)
    }
  }
}
