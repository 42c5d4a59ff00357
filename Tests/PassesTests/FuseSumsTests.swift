import IR
import Passes
import Testing

struct FuseSumsTests {
  let pass = FuseSums()

  /// A residual block: what a layer makes of the image, plus what a convolution makes of that.
  private struct Block {
    var graph: Graph
    let data: ValueID
    let trunk: ValueID
    let branch: ValueID
    var sum: ValueID

    init(
      coefficients: [Float] = [1, 1], convolution: Convolution = FuseSumsTests.convolution,
      trunk operation: Operation = .elementwise(Elementwise(.absoluteValue)),
      swapped: Bool = false
    ) throws {
      (graph, data) = try Graph.image()
      trunk = try graph.add(operation, "trunk", [data])
      let inner = try graph.add(.elementwise(Elementwise(.sigmoid)), "inner", [trunk])
      branch = try graph.add(.convolution(convolution), "branch", [inner])
      let terms = swapped ? [branch, trunk] : [trunk, branch]
      sum = try graph.add(.eltwise(Eltwise(.sum(coefficients: coefficients))), "sum", terms)
      graph.setOutputs([sum])
    }
  }

  private static let convolution = Convolution(
    filters: 2,
    window: Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1]))

  private func expectRefusal(
    _ graph: Graph, _ reason: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try pass.run(graph)
    #expect(outcome.graph == graph, sourceLocation: sourceLocation)
    #expect(outcome.findings.map(\.kind) == [.kept], sourceLocation: sourceLocation)
    #expect(
      outcome.findings.first?.reason.contains(reason) == true, "\(outcome.findings)",
      sourceLocation: sourceLocation)
  }

  @Test(arguments: [false, true])
  func `a convolution adds to the trunk that its block began with`(swapped: Bool) throws {
    let block = try Block(swapped: swapped)
    let outcome = try pass.run(block.graph)
    #expect(outcome.graph.layers == ["trunk:AbsVal", "inner:Sigmoid", "branch:Convolution"])
    let node = outcome.graph[outcome.graph.order[2]]
    #expect(node.inputs.last == block.trunk)
    #expect(node.outputs == [block.sum])
    #expect(node.fused == [FusedLayer(name: "sum", type: "Eltwise")])
    #expect(outcome.findings.map(\.kind) == [.fused(into: "branch")])
    try Equivalence(before: block.graph, after: outcome.graph).check(seed: 3, tolerance: 0)
    let again = try pass.run(outcome.graph)
    #expect(again.graph == outcome.graph)
  }

  @Test func `the activation of the sum goes along`() throws {
    var block = try Block()
    let relu = Elementwise(.relu(slope: 0.5))
    block.graph.setOutputs([try block.graph.add(.elementwise(relu), "relu", [block.sum])])
    let outcome = try pass.run(try FuseActivations().run(block.graph).graph)
    let node = outcome.graph[outcome.graph.order[2]]
    #expect(node.fused.map(\.name) == ["sum", "relu"])
    guard case .convolution(let layer) = node.operation else {
      Issue.record("\(node.operation)")
      return
    }
    #expect(layer.addsToInput && layer.activation == relu.function)
    try Equivalence(before: block.graph, after: outcome.graph).check(seed: 4, tolerance: 0)
  }

  @Test func `of two convolutions the last adds to what the first made`() throws {
    let block = try Block(trunk: .convolution(Self.convolution))
    let outcome = try pass.run(block.graph)
    #expect(
      outcome.graph.layers == ["trunk:Convolution", "inner:Sigmoid", "branch:Convolution"])
    try Equivalence(before: block.graph, after: outcome.graph).check(seed: 5, tolerance: 0)
  }

  @Test func `blocks behind each other add to the same trunk`() throws {
    var block = try Block()
    let inner = try block.graph.add(.elementwise(Elementwise(.tanh)), "inner2", [block.sum])
    let branch = try block.graph.add(.convolution(Self.convolution), "branch2", [inner])
    let plain = Eltwise(.sum(coefficients: [1, 1]))
    let sum = try block.graph.add(.eltwise(plain), "sum2", [block.sum, branch])
    block.graph.setOutputs([sum])
    let outcome = try pass.run(block.graph)
    #expect(outcome.graph.order.count == 5)
    #expect(outcome.findings.count { $0.kind.isFused } == 2)
    try Equivalence(before: block.graph, after: outcome.graph).check(seed: 6, tolerance: 0)
  }

  @Test func `weighted sums, and sums of three or of one value, stay`() throws {
    try expectRefusal(try Block(coefficients: [1, 2]).graph, "plain sum of two")
    var block = try Block()
    let three = Eltwise(.sum(coefficients: [1, 1, 1]))
    let values = [block.trunk, block.branch, block.sum]
    _ = try block.graph.add(.eltwise(three), "three", values)
    #expect(try pass.run(block.graph).findings.map(\.kind) == [.kept, .kept])
    var (graph, data) = try Graph.image()
    let made = try graph.add(.convolution(Self.convolution), "made", [data])
    let twice = Eltwise(.sum(coefficients: [1, 1]))
    graph.setOutputs([try graph.add(.eltwise(twice), "twice", [made, made])])
    try expectRefusal(graph, "to itself")
  }

  @Test func `a trunk that is read later, or by the convolution itself, stays`() throws {
    var block = try Block()
    _ = try block.graph.add(.elementwise(Elementwise(.tanh)), "late", [block.trunk])
    try expectRefusal(block.graph, "late still reads trunk")
    var (graph, data) = try Graph.image()
    let trunk = try graph.add(.elementwise(Elementwise(.tanh)), "trunk", [data])
    let branch = try graph.add(.convolution(Self.convolution), "branch", [trunk])
    let sum = Eltwise(.sum(coefficients: [1, 1]))
    graph.setOutputs([try graph.add(.eltwise(sum), "sum", [trunk, branch])])
    try expectRefusal(graph, "branch still reads trunk")
  }

  @Test func `neither inputs nor results of the network are written over`() throws {
    var block = try Block()
    block.graph.setOutputs([block.sum, block.trunk])
    try expectRefusal(block.graph, "is a result")
    var (graph, data) = try Graph.image()
    let inner = try graph.add(.elementwise(Elementwise(.tanh)), "inner", [data])
    let branch = try graph.add(.convolution(Self.convolution), "branch", [inner])
    let sum = Eltwise(.sum(coefficients: [1, 1]))
    graph.setOutputs([try graph.add(.eltwise(sum), "sum", [data, branch])])
    try expectRefusal(graph, "is the caller's")
  }

  @Test func `a convolution with an activation, or whose result others see, stays`() throws {
    var layer = Self.convolution
    layer.activation = .relu(slope: 0)
    try expectRefusal(try Block(convolution: layer).graph, "for it alone")
    var block = try Block()
    block.graph.setOutputs([block.sum, block.branch])
    try expectRefusal(block.graph, "for it alone")
    var other = try Block()
    _ = try other.graph.add(.elementwise(Elementwise(.tanh)), "other", [other.branch])
    try expectRefusal(other.graph, "for it alone")
  }

  @Test func `a convolution that runs before the other addend is made stays`() throws {
    var (graph, data) = try Graph.image()
    let branch = try graph.add(.convolution(Self.convolution), "branch", [data])
    let late = try graph.add(.elementwise(Elementwise(.tanh)), "late", [data])
    let sum = Eltwise(.sum(coefficients: [1, 1]))
    graph.setOutputs([try graph.add(.eltwise(sum), "sum", [branch, late])])
    try expectRefusal(graph, "the last of its inputs")
  }
}
