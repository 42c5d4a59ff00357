import IR
import Passes
import Testing

struct FoldNormalizationsTests {
  let pass = FoldNormalizations()
  let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])

  /// BatchNorm, Scale and Bias behind `producer`.
  private func chain(_ producer: Operation) throws -> Graph {
    var (graph, data) = try Graph.image(4)
    let made = try graph.add(producer, "made", [data])
    let normed = try graph.add(.batchNorm(BatchNorm()), "bn", [made], outputs: ["made"])
    let scaled = try graph.add(.scale(Scale(hasBias: true)), "scale", [normed], outputs: ["made"])
    let biased = try graph.add(.bias(Bias()), "bias", [scaled], outputs: ["made"])
    graph.setOutputs([biased])
    return graph
  }

  static let producers: [Operation] = [
    .convolution(
      Convolution(
        filters: 6,
        window: Window(kernel: [3, 3], stride: [2, 1], pad: [1, 0], dilation: [1, 1]),
        groups: 2)),
    .convolution(
      Convolution(filters: 3, window: Window(kernel: [1, 1]), hasBias: false)),
    .deconvolution(
      Deconvolution(
        filters: 6,
        window: Window(kernel: [2, 3], stride: [2, 2], pad: [0, 1], dilation: [1, 1]),
        groups: 2)),
    .innerProduct(InnerProduct(outputs: 5)),
    .innerProduct(InnerProduct(outputs: 5, hasBias: false, isTransposed: true)),
  ]

  @Test(arguments: producers)
  func `a chain of normalisations folds into the layer before it`(producer: Operation) throws {
    let graph = try chain(producer)
    let outcome = try pass.run(graph)
    #expect(outcome.graph.order.count == 1)
    #expect(outcome.graph[outcome.graph.order[0]].fused.map(\.name) == ["bn", "scale", "bias"])
    #expect(outcome.findings.allSatisfy { $0.kind.isFused })
    // Weights are rounded once, so sums of few terms stay close.
    try Equivalence(before: graph, after: outcome.graph).check(seed: 3, tolerance: 1e-5)
  }

  @Test func `zero weights stay zero`() throws {
    var graph = try chain(Self.producers[1])
    graph.update(graph.order[0]) { node in
      let shape = node.parameters[0].shape
      node.parameters[0] = Tensor(
        shape: shape, values: (0..<shape.count).map { $0 % 3 == 0 ? 1 : -0.0 })
    }
    let nonzeros = graph[graph.order[0]].parameters[0].nonzeroCount
    let folded = try pass.run(graph).graph
    #expect(folded[folded.order[0]].parameters[0].nonzeroCount == nonzeros)
  }

  @Test func `a normalisation whose input others read becomes one scale and shift`() throws {
    var (graph, data) = try Graph.image(4)
    let made = try graph.add(Self.producers[1], "made", [data])
    let normed = try graph.add(.batchNorm(BatchNorm()), "bn", [made])
    let scaled = try graph.add(.scale(Scale(hasBias: true)), "scale", [normed])
    let sum = try graph.add(
      .eltwise(Eltwise(.sum(coefficients: [1, 1]))), "sum", [made, scaled])
    graph.setOutputs([sum])
    let outcome = try pass.run(graph)
    #expect(outcome.graph.layers == ["made:Convolution", "bn:Scale", "sum:Eltwise"])
    try Equivalence(before: graph, after: outcome.graph).check(seed: 4, tolerance: 1e-5)
  }

  @Test func `the statistics of a batch are left alone`() throws {
    var (graph, data) = try Graph.image(4)
    let made = try graph.add(Self.producers[1], "made", [data])
    let normed = try graph.add(
      .batchNorm(BatchNorm(usesStoredStatistics: false)), "bn", [made])
    graph.setOutputs([normed])
    let outcome = try pass.run(graph)
    #expect(outcome.graph == graph)
  }

  @Test func `a convolution that already applies ReLU takes nothing in`() throws {
    var (graph, data) = try Graph.image(4)
    let layer = Convolution(
      filters: 3, window: Window(kernel: [1, 1]), activation: .relu(slope: 0))
    let made = try graph.add(.convolution(layer), "made", [data])
    let scaled = try graph.add(.scale(Scale()), "scale", [made])
    graph.setOutputs([scaled])
    #expect(try pass.run(graph).graph == graph)
  }
}
