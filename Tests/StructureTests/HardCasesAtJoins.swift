import IR
import Passes
import Testing

/// Constants where branches part and meet: Eltwise, Concat, Slice, several readers, residual blocks.
struct HardCasesAtJoins {
  // MARK: Eltwise

  @Test func `a sum with coefficients of channels that are constant in both inputs`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3, dead: [0, 1])
    let b = try net.convolution("b", net.data, 3, dead: [1, 2])
    let sum = try net.eltwise("sum", [a, b], .sum(coefficients: [2, -1]))
    let result = try fold([try net.convolution("reader", sum, 2)], of: net)
    // Only channel 1 is constant in both: 2 * 2 - 2.
    #expect(try result.weights("a")[0] == 2)
    #expect(try result.weights("b")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(try result.layer("sum").inputs.count == 2)
  }

  @Test func `a constant branch of a sum becomes a scale and a bias`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3)
    let b = try net.convolution("b", net.data, 3, dead: [0, 1, 2])
    let sum = try net.eltwise("sum", [a, b], .sum(coefficients: [2, -1]))
    let result = try fold([try net.relu("out", sum)], of: net)
    #expect(!result.types.contains("Eltwise"))
    #expect(!result.layers.contains("b"))
    // The scale and the bias fold into the convolution.
    #expect(FoldedNet.types(of: result.compiled) == ["Convolution"])
  }

  @Test func `a branch that is constant where it is read joins as a bias`() throws {
    // Only its first channel is known; it becomes a Constant when the other, which nobody reads, is gone.
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 2)
    let b = try net.convolution("b", net.data, 2, dead: [0], bias: [3, 1])
    let sum = try net.sum("sum", a, b)
    let result = try fold([try net.convolution("reader", sum, 2, deaf: [1])], of: net)
    #expect(!result.types.contains("Eltwise"))
    #expect(!result.types.contains("Constant"))
    #expect(FoldedNet.types(of: result.compiled) == ["Convolution", "Convolution"])
  }

  @Test func `what was refused at first and done in a later round is not reported as refused`()
    throws
  {
    // The second channel differs at the border, as long as it is there.
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 2)
    let known = try net.convolution("known", net.data, 2, dead: [0, 1])
    let b = try net.convolution("b", known, 2, dead: [0], bias: [3, 1])
    let product = try net.eltwise("product", [a, b], .product)
    let result = try fold([try net.convolution("reader", product, 2, deaf: [1])], of: net)
    #expect(!result.types.contains("Eltwise"))
    let findings = result.findings.filter { $0.layer == "product" }
    #expect(findings.contains { $0.kind == .changed })
    #expect(!findings.contains { $0.kind == .kept })
  }

  @Test func `a coefficient of zero hides its input`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3)
    let b = try net.convolution("b", net.data, 3, dead: [0, 1, 2])
    let sum = try net.eltwise("sum", [b, a, b], .sum(coefficients: [0, 1, 3]))
    let result = try fold([sum], of: net)
    #expect(!result.layers.contains("b"))
    #expect(!result.types.contains("Eltwise"))
  }

  @Test func `a product with a constant zero makes the other factor's channel unread`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3)
    let b = try net.convolution("b", net.data, 3, dead: [1], bias: [1, 0, 2])
    let product = try net.eltwise("product", [a, b], .product)
    let result = try fold([try net.convolution("reader", product, 2)], of: net)
    #expect(try result.weights("a")[0] == 2)
    #expect(try result.weights("b")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
  }

  @Test func `a product with a constant branch is a scale`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3)
    let b = try net.convolution("b", net.data, 3, dead: [0, 1, 2])
    let result = try fold([try net.eltwise("product", [b, a], .product)], of: net)
    #expect(!result.layers.contains("b"))
    #expect(!result.types.contains("Eltwise"))
    #expect(FoldedNet.types(of: result.compiled) == ["Convolution"])
  }

  @Test func `a maximum of constants is a constant`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3, dead: [0, 1], bias: [5, -2, 0])
    let b = try net.convolution("b", net.data, 3, dead: [0, 1], bias: [4, 7, 1])
    let maximum = try net.eltwise("maximum", [a, b], .maximum)
    let result = try fold([try net.convolution("reader", maximum, 2)], of: net)
    #expect(try result.weights("a")[0] == 1)
    #expect(try result.weights("b")[0] == 1)
    #expect(try result.weights("reader")[1] == 1)
  }

  @Test func `a maximum with a branch of zeros is a ReLU`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3)
    let b = try net.convolution("b", net.data, 3, dead: [0, 1, 2], bias: [0, 0, 0])
    let result = try fold([try net.eltwise("maximum", [a, b], .maximum)], of: net)
    #expect(result.types == ["Convolution", "ReLU"])
  }

  @Test func `a maximum with other constants keeps them and says why`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 3)
    let b = try net.convolution("b", net.data, 3, dead: [0, 1, 2])
    let result = try fold([try net.eltwise("maximum", [a, b], .maximum)], of: net)
    #expect(result.types == ["Convolution", "Constant", "Eltwise"])
    #expect(result.findings.contains { $0.layer == "maximum" && $0.kind == .kept })
  }

  @Test func `a constant branch that differs at the border is added by position`() throws {
    var net = try SmallNet()
    let a = try net.convolution("a", net.data, 2)
    let dead = try net.convolution("dead", net.data, 2, dead: [0, 1])
    // All its filters read constants only, behind padding.
    let b = try net.convolution("b", dead, 2)
    let result = try fold([try net.sum("sum", a, b)], of: net)
    #expect(result.types == ["Convolution", "BorderBias"])
    #expect(FoldedNet.types(of: result.forCaffe).contains("Eltwise"))
  }

  // MARK: Concat and Slice

  @Test func `a Concat of partly dead inputs`() throws {
    var net = try SmallNet()
    let one = try net.convolution("one", net.data, 3, dead: [0])
    let none = try net.convolution("none", net.data, 2, dead: [0, 1])
    let all = try net.convolution("all", net.data, 2)
    let joined = try net.concat("joined", [one, none, all])
    let result = try fold([try net.convolution("reader", joined, 2)], of: net)
    #expect(!result.layers.contains("none"))
    #expect(try result.layer("joined").inputs.count == 2)
    #expect(try result.weights("one")[0] == 2)
    #expect(try result.weights("reader")[1] == 4)
    let value = result.folded[try result.layer("joined").outputs[0]]
    #expect(value.channels == [1, 2, 5, 6])
  }

  @Test func `parts of a Slice that are constant or unread go`() throws {
    var net = try SmallNet()
    let whole = try net.convolution("whole", net.data, 6, dead: [0, 1])
    let first = try net.add(.slice(Slice(points: [2, 4], parts: 3)), "slice", [whole])
    let node = try #require(net.graph.producer(of: first))
    let parts = net.graph[node].outputs
    let joined = try net.concat("joined", [parts[2], parts[0]])
    _ = try net.add(.elementwise(Elementwise(.absoluteValue)), "unread", [parts[1]])
    let result = try fold([try net.convolution("reader", joined, 2)], of: net)
    #expect(try result.weights("whole")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(!result.layers.contains("unread"))
    #expect(!result.layers.contains("slice"))
  }

  // MARK: Several readers

  @Test func `a channel read by two layers of which one can do without`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 3, dead: [1])
    let able = try net.convolution("able", dead, 2)
    // It sums over the channels: it needs all of them.
    let unable = try net.add(.reduction(Reduction(operation: .sum, axis: 1)), "unable", [dead])
    let result = try fold([able, unable], of: net)
    #expect(try result.weights("dead")[0] == 3)
    let weights = try result.layer("able").parameters[0]
    #expect(weights.nonzeroCount == 2 * 2 * 9)
    #expect(result.types.contains("BorderBias"))
    #expect(result.findings.contains { $0.layer == "unable" && $0.kind == .kept })
  }

  @Test func `a channel that two layers can do without goes`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 3, dead: [1])
    let one = try net.convolution("one", dead, 2)
    let two = try net.innerProduct("two", try net.relu("relu", dead), 2)
    let result = try fold([one, two], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("one")[1] == 2)
    #expect(try result.weights("two")[1] == 2 * 42)
  }

  @Test func `channels that different readers leave unread stay for the others`() throws {
    var net = try SmallNet()
    let shared = try net.convolution("shared", net.data, 4)
    let one = try net.convolution("one", shared, 2, deaf: [0, 1])
    let two = try net.convolution("two", shared, 2, deaf: [1, 3])
    let result = try fold([one, two], of: net)
    // Only channel 1 is read by nobody.
    #expect(try result.weights("shared")[0] == 3)
    #expect(try result.weights("one") == [2, 3, 3, 3])
    #expect(result.folded[try result.layer("shared").outputs[0]].channels == [0, 2, 3])
  }

  @Test func `a factor per channel that the whole image decides`() throws {
    var net = try SmallNet(4, 4)
    let dead = try net.convolution("dead", net.data, 4, dead: [2], bias: [1, 2, 0, 4])
    let squeezed = try net.add(
      .pooling(Pooling(reduction: .max, window: Window(kernel: [1, 1]), isGlobal: true)), "squeeze",
      [dead])
    let factors = try net.innerProduct("factors", squeezed, 4)
    let gated = try net.add(.scale(Scale(axis: 0)), "gated", [dead, factors])
    let result = try fold([try net.convolution("reader", gated, 2)], of: net)
    #expect(result.layers.contains("gated"))
  }

  // MARK: Residual blocks

  /// relu(x + f(x)), where the last convolution of f is zero.
  private func block(
    _ net: inout SmallNet, _ name: String, _ input: ValueID, bias: [Float], normalized: Bool = false
  ) throws -> ValueID {
    var branch = try net.convolution("\(name)/a", input, 3)
    branch = try net.relu("\(name)/relu", branch)
    branch = try net.convolution("\(name)/b", branch, 3, dead: [0, 1, 2], bias: bias)
    if normalized {
      branch = try net.batchNorm("\(name)/bn", branch)
      branch = try net.scale("\(name)/scale", branch, [2, 4, 6], [1, 0, 3])
    }
    return try net.relu("\(name)/out", try net.sum("\(name)/sum", branch, input))
  }

  @Test func `a chain of dead residual blocks disappears`() throws {
    var net = try SmallNet()
    var value = try net.relu("first/relu", try net.convolution("first", net.data, 3))
    for name in ["one", "two", "three"] {
      value = try block(&net, name, value, bias: [0, 0, 0])
    }
    let result = try fold([try net.convolution("last", value, 2)], of: net)
    #expect(result.layers == ["first", "first/relu", "last"])
    #expect(FoldedNet.types(of: result.forCaffe) == result.types)
  }

  @Test func `a dead block leaves the bias that its normalisation makes`() throws {
    var net = try SmallNet()
    var value = try net.relu("first/relu", try net.convolution("first", net.data, 3))
    for name in ["one", "two"] {
      value = try block(&net, name, value, bias: [3, 1, 1], normalized: true)
    }
    let result = try fold([try net.convolution("last", value, 2)], of: net)
    // (3 - 1) / 2 * 2 + 1 and (1 - 1) / 2 * 6 + 3.
    let bias = try #require(result.folded.order.first { result.folded[$0].name == "one/sum" })
    #expect(result.folded[bias].parameters.map(\.values) == [[3, 0, 3]])
    #expect(!result.layers.contains { $0.hasSuffix("/a") || $0.hasSuffix("/b") })
    #expect(!result.types.contains("Eltwise"))
  }

  @Test(arguments: [1, 2])
  func `a dead block with a projection leaves the projection`(stride: Int) throws {
    var net = try SmallNet(8, 8)
    let first = try net.relu("first/relu", try net.convolution("first", net.data, 3))
    var branch = try net.convolution("a", first, 4, stride: stride)
    branch = try net.convolution("b", try net.relu("a/relu", branch), 4, dead: [0, 1, 2, 3])
    branch = try net.batchNorm("b/bn", branch)
    let projection = try net.convolution("projection", first, 4, kernel: 1, stride: stride)
    let normed = try net.batchNorm("projection/bn", projection)
    let out = try net.relu("out", try net.sum("sum", branch, normed))
    let result = try fold([out], of: net)
    #expect(!result.types.contains("Eltwise"))
    #expect(!result.layers.contains("a") && !result.layers.contains("b"))
    #expect(result.compiled.order.map { result.compiled[$0].name } == ["first", "projection"])
  }

  @Test func `a dead projection leaves the branch`() throws {
    var net = try SmallNet(8, 8)
    let branch = try net.convolution("branch", net.data, 4, stride: 2)
    let projection = try net.convolution(
      "projection", net.data, 4, kernel: 1, stride: 2, dead: [0, 1, 2, 3])
    let result = try fold([try net.relu("out", try net.sum("sum", branch, projection))], of: net)
    #expect(FoldedNet.types(of: result.compiled) == ["Convolution"])
  }

  @Test func `a block of which some filters are dead keeps its sum`() throws {
    var net = try SmallNet()
    let first = try net.convolution("first", net.data, 3, dead: [0])
    let branch = try net.convolution("a", try net.relu("relu", first), 3, dead: [0, 1])
    let sum = try net.sum("sum", branch, first)
    let result = try fold([try net.convolution("last", sum, 2)], of: net)
    // Channel 0 is constant on both sides, channel 1 on one.
    #expect(try result.weights("first")[0] == 2)
    #expect(try result.weights("a")[0...1] == [2, 2])
    #expect(try result.weights("last")[1] == 2)
  }
}
