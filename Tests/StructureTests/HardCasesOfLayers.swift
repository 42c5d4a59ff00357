import IR
import Passes
import Testing

/// Groups, whole layers, outputs, inner products, batches.
struct HardCasesOfLayers {
  // MARK: Groups

  @Test func `a grouped convolution loses a whole group`() throws {
    var net = try SmallNet()
    let first = try net.convolution("first", net.data, 6)
    let grouped = try net.convolution("grouped", first, 6, groups: 3, dead: [2, 3])
    let result = try fold([try net.convolution("reader", grouped, 2)], of: net)
    // What only the dead group read goes too.
    #expect(try result.weights("first")[0] == 4)
    #expect(try result.weights("grouped") == [4, 2, 3, 3])
    guard case .convolution(let layer) = try result.layer("grouped").operation else { return }
    #expect(layer.groups == 2)
    #expect(try result.weights("reader")[1] == 4)
  }

  @Test func `groups that lose different numbers of filters stay even`() throws {
    var net = try SmallNet()
    let first = try net.convolution("first", net.data, 4)
    let grouped = try net.convolution("grouped", first, 6, groups: 2, dead: [0, 1, 4])
    let result = try fold([try net.convolution("reader", grouped, 2)], of: net)
    #expect(try result.weights("grouped")[0] == 4)
    #expect(try result.weights("reader")[1] == 4)
    // One filter of the first group is there for its place only.
    let channels = try #require(result.folded[try result.layer("grouped").outputs[0]].channels)
    #expect(channels.count == 4)
    #expect(Set(channels.compactMap(\.self)) == [2, 3, 5])
  }

  @Test func `groups that lose different numbers of channels stay even`() throws {
    var net = try SmallNet()
    let first = try net.convolution("first", net.data, 6, dead: [0, 1, 4])
    let grouped = try net.convolution("grouped", first, 4, groups: 2)
    let result = try fold([grouped], of: net)
    #expect(try result.weights("first")[0] == 4)
    #expect(try result.weights("grouped") == [4, 2, 3, 3])
    #expect(result.types.contains("BorderBias"))
  }

  @Test func `a filter per channel`() throws {
    var net = try SmallNet()
    let first = try net.convolution("first", net.data, 4, dead: [1])
    let depthwise = try net.convolution("depthwise", first, 4, groups: 4, dead: [3])
    let result = try fold(
      [
        try net.convolution("reader", try net.relu("relu", depthwise), 3, kernel: 1)
      ], of: net)
    // Channel 1 is constant but for the border, channel 3 everywhere: nobody reads the fourth filter.
    #expect(try result.weights("first")[0] == 2)
    #expect(try result.weights("depthwise")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    guard case .convolution(let layer) = try result.layer("depthwise").operation else { return }
    #expect(layer.groups == 2)
    #expect(result.types.contains("BorderBias"))
  }

  // MARK: Whole layers and outputs

  @Test func `a network whose every filter in a layer is dead is a constant`() throws {
    var net = try SmallNet()
    let first = try net.convolution("first", net.data, 3)
    let dead = try net.convolution("dead", first, 3, dead: [0, 1, 2])
    let normed = try net.batchNorm("bn", dead)
    let reads = try net.convolution("reader", try net.relu("relu", normed), 2)
    let out = try net.innerProduct("out", reads, 3)
    let result = try fold([out], of: net)
    #expect(result.types == ["Constant"])
    #expect(result.folded.outputs.map { result.folded[$0].shape.extents } == [[1, 3]])
    #expect(FoldedNet.types(of: result.forCaffe) == ["Constant"])
  }

  @Test func `a dead output keeps its shape`() throws {
    var net = try SmallNet()
    let out = try net.convolution("out", net.data, 3, dead: [0, 2])
    let result = try fold([out], of: net)
    #expect(try result.weights("out")[0] == 3)
    #expect(result.folded[result.folded.outputs[0]].channels == nil)
  }

  @Test func `an output inside the network keeps its channels for its readers too`() throws {
    var net = try SmallNet()
    let inner = try net.convolution("inner", net.data, 3, dead: [0])
    let last = try net.convolution("last", inner, 2)
    let result = try fold([inner, last], of: net)
    #expect(try result.weights("inner")[0] == 3)
    // It reads them no more, but they are there.
    #expect(try result.layer("last").parameters[0].nonzeroCount == 2 * 2 * 9)
  }

  @Test func `all of an output dead beside one that lives`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 3, dead: [0, 1, 2])
    let live = try net.convolution("live", net.data, 2)
    let result = try fold([try net.relu("out", dead), live], of: net)
    #expect(result.types.sorted() == ["Constant", "Convolution"])
    #expect(result.folded.outputs.map { result.folded[$0].name } == ["out", "live"])
  }

  @Test func `an input's channels that nobody reads stay`() throws {
    var net = try SmallNet(channels: 4)
    let result = try fold([try net.convolution("reader", net.data, 2, deaf: [1, 3])], of: net)
    #expect(try result.weights("reader")[1] == 4)
    #expect(result.folded[result.folded.inputs[0]].shape.extents == [1, 4, 7, 6])
  }

  // MARK: Normalisations and functions

  @Test func `a gamma of zero makes the filter before it unread`() throws {
    var net = try SmallNet()
    let made = try net.convolution("made", net.data, 3)
    let normed = try net.batchNorm("bn", made)
    let scaled = try net.scale("scale", normed, [2, 0, 4], [1, 3, 0])
    let result = try fold([try net.convolution("reader", try net.relu("relu", scaled), 2)], of: net)
    #expect(try result.weights("made")[0] == 2)
    #expect(try result.layer("bn").parameters[0].count == 2)
    #expect(try result.layer("scale").parameters.map(\.values) == [[2, 4], [1, 0]])
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.types.contains("BorderBias"))
  }

  @Test func `slopes of a PReLU go with their channels`() throws {
    var net = try SmallNet()
    let made = try net.convolution("made", net.data, 3, dead: [1], bias: [1, -2, 3])
    let slopes = Tensor(shape: .vector(3), values: [0.5, 2, 0.25])
    let result = try fold(
      [
        try net.convolution(
          "reader", try net.add(.preLU(PReLU()), "prelu", [made], [slopes]), 2)
      ], of: net)
    #expect(try result.layer("prelu").parameters[0].values == [0.5, 0.25])
    #expect(try result.weights("made")[0] == 2)
  }

  @Test func `a power that hides its input makes all before it unread`() throws {
    var net = try SmallNet()
    let made = try net.convolution("made", net.data, 2)
    let hidden = try net.add(
      .elementwise(Elementwise(.power(power: 1, scale: 0, shift: 3))), "hidden", [made])
    let other = try net.convolution("other", net.data, 2)
    let joined = try net.concat("joined", [hidden, other])
    let result = try fold([try net.convolution("reader", joined, 2)], of: net)
    #expect(!result.layers.contains("made") && !result.layers.contains("hidden"))
    #expect(try result.weights("reader")[1] == 2)
  }

  // MARK: Inner products

  enum Way: CaseIterable { case direct, flattened, reshaped }

  @Test(arguments: Way.allCases, [false, true])
  func `an inner product behind constant channels`(way: Way, isTransposed: Bool) throws {
    var net = try SmallNet(4, 4)
    let dead = try net.convolution("dead", net.data, 3, dead: [1])
    // The constant's content depends on the position.
    var value = try net.pooling("pool", dead, .average, kernel: 2, stride: 2, pad: 1)
    switch way {
    case .direct: break
    case .flattened: value = try net.add(.flatten(Flatten()), "flat", [value])
    case .reshaped: value = try net.add(.reshape(Reshape(extents: [0, -1])), "flat", [value])
    }
    let product = try net.innerProduct("product", value, 5, isTransposed: isTransposed)
    let result = try fold([product], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("product") == (isTransposed ? [18, 5] : [5, 18]))
    #expect(!result.types.contains("BorderBias"))
    #expect(try FoldedNet.weights("dead", in: result.forCaffe)[0] == 2)
  }

  @Test func `inner products behind each other lose outputs and columns`() throws {
    var net = try SmallNet(4, 4)
    let one = try net.innerProduct("one", net.data, 4)
    let node = try #require(net.graph.producer(of: one))
    net.graph.update(node) { node in
      let shape = node.parameters[0].shape
      node.parameters[0] = Tensor(
        shape: shape,
        values: node.parameters[0].values.enumerated().map { $0 / 32 == 2 ? 0 : $1 })
    }
    let result = try fold([try net.innerProduct("two", try net.relu("relu", one), 3)], of: net)
    #expect(try result.weights("one") == [3, 32])
    #expect(try result.weights("two") == [3, 3])
  }

  // MARK: Batches

  @Test func `layers that mix items keep their batch`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 3, dead: [1])
    let doubled = try net.concat("doubled", [dead, try net.relu("relu", dead)], axis: 0)
    let result = try fold([try net.convolution("reader", doubled, 2)], of: net)
    #expect(result.folded.batch != .perItem)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.folded[result.folded.outputs[0]].shape.extents == [4, 2, 7, 6])
  }

  @Test func `a constant of one number in half of the items only is none`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 2, dead: [0, 1])
    let live = try net.convolution("live", net.data, 2)
    let joined = try net.concat("joined", [dead, live], axis: 0)
    let result = try fold([try net.convolution("reader", joined, 2)], of: net)
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.types.contains("Concat"))
  }

  @Test func `a wholly constant network with a fixed batch`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 2, dead: [0, 1])
    let doubled = try net.concat("doubled", [dead, dead], axis: 0)
    let result = try fold([try net.innerProduct("out", doubled, 3)], of: net)
    #expect(result.folded[result.folded.outputs[0]].shape.extents == [4, 3])
  }

  @Test func `an explicit shape that splits the batch is left alone`() throws {
    var net = try SmallNet(4, 4)
    let dead = try net.convolution("dead", net.data, 2, dead: [0])
    let reshaped = try net.add(.reshape(Reshape(extents: [1, 4, 4, 4])), "reshaped", [dead])
    let result = try fold([try net.convolution("reader", reshaped, 2)], of: net)
    #expect(result.folded.batch != .perItem)
    #expect(try result.weights("reader")[1] == 4)
  }
}
