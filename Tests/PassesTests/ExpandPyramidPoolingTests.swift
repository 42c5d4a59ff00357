import IR
import Passes
import Testing

struct ExpandPyramidPoolingTests {
  @Test(arguments: 1...3, [Pooling.Reduction.max, .average])
  func `a pyramid is its levels, flattened and joined`(
    height: Int, reduction: Pooling.Reduction
  ) throws {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([2, 3, 9, 11]))
    let layer = SpatialPyramidPooling(height: height, reduction: reduction)
    graph.setOutputs([try graph.add(.spatialPyramidPooling(layer), "spp", [data])])
    let outcome = try ExpandPyramidPooling().run(graph)
    #expect(outcome.graph.order.count == (height == 1 ? 1 : 2 * height + 1))
    #expect(!outcome.graph.layers.contains { $0.hasSuffix(":SPP") })
    try Equivalence(before: graph, after: outcome.graph).check(seed: 6, tolerance: 0)
  }
}
