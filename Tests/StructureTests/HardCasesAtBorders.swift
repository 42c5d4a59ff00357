import IR
import Passes
import Testing

/// Constants that windows meet: padding, strides, edges.
struct HardCasesAtBorders {
  /// A convolution of four filters, two of them dead: channels 1 and 2 hold 2 and 3.
  private func halfDead(_ net: inout SmallNet) throws -> ValueID {
    let dead = try net.convolution("dead", net.data, 4, dead: [1, 2])
    return try net.relu("relu", dead)
  }

  struct Reader: Sendable {
    var kernel = 3
    var stride = 1
    var pad = 1
    var dilation = 1
  }

  static let readers = [
    Reader(), Reader(stride: 2), Reader(pad: 2, dilation: 2),
    Reader(stride: 2, pad: 2, dilation: 2), Reader(kernel: 5, pad: 2), Reader(stride: 3),
    Reader(kernel: 5, pad: 4), Reader(kernel: 2, pad: 1),
  ]

  @Test(arguments: readers)
  func `a padded reader of a constant channel`(reader: Reader) throws {
    var net = try SmallNet()
    let reads = try net.convolution(
      "reader", try halfDead(&net), 3, kernel: reader.kernel, stride: reader.stride,
      pad: reader.pad, dilation: reader.dilation)
    let result = try fold([try net.relu("out", reads)], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.types.contains("BorderBias"))
    // Caffe has no such layer: the channels stay, and the report says so.
    #expect(try FoldedNet.weights("reader", in: result.forCaffe)[1] == 4)
    #expect(result.findingsForCaffe.contains { $0.layer == "reader" && $0.kind == .kept })
  }

  @Test func `a reader without padding needs no correction, in Caffe neither`() throws {
    var net = try SmallNet()
    let reads = try net.convolution("reader", try halfDead(&net), 3, pad: 0)
    let result = try fold([reads], of: net)
    for graph in [result.folded, result.forCaffe] {
      #expect(try FoldedNet.weights("reader", in: graph)[1] == 2)
      #expect(!FoldedNet.types(of: graph).contains("BorderBias"))
    }
  }

  @Test func `a constant zero needs no correction`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 3, dead: [1], bias: [1, -4, 1])
    let reads = try net.convolution("reader", try net.relu("relu", dead), 2)
    let result = try fold([reads], of: net)
    #expect(try FoldedNet.weights("reader", in: result.forCaffe)[1] == 2)
    #expect(!result.types.contains("BorderBias"))
  }

  @Test func `positions whose taps all meet the image need no class`() throws {
    var net = try SmallNet()
    // Taps over the padding are those that are zero.
    let dead = try net.convolution("dead", net.data, 2, dead: [1])
    let reads = try net.convolution("reader", dead, 2)
    let node = try #require(net.graph.producer(of: reads))
    net.graph.update(node) { node in
      let shape = node.parameters[0].shape
      node.parameters[0] = Tensor(
        shape: shape,
        values: node.parameters[0].values.enumerated().map { $0 % 9 == 4 || $0 % 18 < 9 ? $1 : 0 })
    }
    let result = try fold([reads], of: net)
    #expect(try result.weights("reader")[1] == 1)
    #expect(!result.types.contains("BorderBias"))
  }

  @Test func `a constant through maxima with padding stays one number`() throws {
    var net = try SmallNet()
    let pooled = try net.pooling("pool", try halfDead(&net), .max, kernel: 3, pad: 1)
    let result = try fold([try net.convolution("reader", pooled, 3, kernel: 1)], of: net)
    #expect(try result.layer("pool").outputs.map { result.folded[$0].shape[1] } == [2])
    #expect(try FoldedNet.weights("reader", in: result.forCaffe)[1] == 2)
    #expect(!result.types.contains("BorderBias"))
  }

  /// Caffe divides by the whole window, padding included, clipped to the padded image.
  @Test(arguments: [(2, 2, 1), (4, 2, 2), (2, 1, 1)])
  func `a constant through means with padding`(kernel: Int, stride: Int, pad: Int) throws {
    var net = try SmallNet(8, 6)
    let pooled = try net.pooling(
      "pool", try halfDead(&net), .average, kernel: kernel, stride: stride, pad: pad)
    let result = try fold([try net.convolution("reader", pooled, 3, kernel: 1)], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.types.contains("BorderBias"))
  }

  @Test func `a constant through means over a rounded-up edge`() throws {
    // The last windows have one row or column, and divide by it.
    var net = try SmallNet(7, 5)
    let pooled = try net.pooling("pool", try halfDead(&net), .average)
    let result = try fold([try net.convolution("reader", pooled, 3)], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    // With a padding of 1 the last windows lie half in the padding.
    var padded = try SmallNet(6, 6)
    let mean = try padded.pooling("pool", try halfDead(&padded), .average, pad: 1)
    let other = try fold([try padded.convolution("reader", mean, 3)], of: padded)
    #expect(try other.weights("reader")[1] == 2)
  }

  @Test(arguments: [false, true])
  func `a constant through windows beyond the edge, which are empty`(startsAtZero: Bool) throws {
    var net = try SmallNet(6, 6)
    let pooled = try net.pooling(
      "pool", try halfDead(&net), .max, kernel: 2, stride: 3, startsAtZero: startsAtZero)
    #expect(net.graph[pooled].shape.extents == [2, 4, 3, 3])
    let shown = try net.relu("shown", pooled)
    let result = try fold([try net.convolution("reader", shown, 3)], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.types.contains("BorderBias"))
  }

  @Test func `a removed neighbour is remembered by a normalisation across channels`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 4, dead: [1])
    let normed = try net.lrn("lrn", dead, .acrossChannels)
    let result = try fold([try net.convolution("reader", normed, 2, kernel: 1, deaf: [1])], of: net)
    #expect(try result.weights("dead")[0] == 3)
    #expect(try result.weights("reader")[1] == 3)
    guard case .lrn(let layer) = try result.layer("lrn").operation else { return }
    #expect(layer.positions == [0, 2, 3])
    #expect(try result.layer("lrn").parameters[0].values == [4, 4, 0])
    #expect(try FoldedNet.weights("dead", in: result.forCaffe)[0] == 4)
  }

  @Test func `a constant beside live channels is no constant behind the normalisation`() throws {
    var net = try SmallNet()
    let normed = try net.lrn(
      "lrn", try net.convolution("dead", net.data, 4, dead: [1]), .acrossChannels)
    let result = try fold([try net.convolution("reader", normed, 2, kernel: 1)], of: net)
    #expect(try result.weights("dead")[0] == 4)
  }

  @Test func `a zero stays zero behind the normalisation`() throws {
    var net = try SmallNet()
    let dead = try net.convolution("dead", net.data, 4, dead: [1], bias: [1, 0, 2, 3])
    let normed = try net.lrn("lrn", dead, .acrossChannels)
    let result = try fold([try net.convolution("reader", normed, 2)], of: net)
    #expect(try result.weights("dead")[0] == 3)
    #expect(try result.weights("reader")[1] == 3)
  }

  @Test func `a constant through a normalisation within channels`() throws {
    // At the border part of the window is padding.
    var net = try SmallNet()
    let normed = try net.lrn("lrn", try halfDead(&net), .withinChannel)
    let result = try fold([try net.convolution("reader", normed, 3, kernel: 1)], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
    #expect(result.types.contains("BorderBias"))
  }

  @Test func `a normalisation whose window is larger than the image`() throws {
    var net = try SmallNet()
    let layer = LRN(size: 31, alpha: 31 * 31, beta: -1, k: 2, region: .withinChannel)
    let normed = try net.add(.lrn(layer), "lrn", [try halfDead(&net)])
    let result = try fold([try net.convolution("reader", normed, 3, kernel: 1)], of: net)
    #expect(try result.weights("dead")[0] == 2)
    #expect(try result.weights("reader")[1] == 2)
  }

  @Test func `constants of different classes meet in one reader`() throws {
    // One padded window behind another: the classes multiply.
    var net = try SmallNet(8, 8)
    let first = try halfDead(&net)
    let pooled = try net.pooling("pool", first, .average, kernel: 2, stride: 1, pad: 1)
    let other = try net.convolution("other", net.data, 2, kernel: 2, pad: 1, dead: [0])
    let joined = try net.concat("joined", [pooled, other])
    let result = try fold([try net.convolution("reader", joined, 2, kernel: 5)], of: net)
    #expect(try result.weights("reader")[1] == 3)
    #expect(try result.layer("joined").inputs.count == 2)
    #expect(result.types.filter { $0 == "BorderBias" }.count == 1)
  }

  @Test func `a deconvolution reads a constant channel`() throws {
    var net = try SmallNet(4, 5)
    let input = try halfDead(&net)
    let window = Window(kernel: [4, 3], stride: [2, 2], pad: [1, 0], dilation: [1, 1])
    let weights = Tensor(shape: try Shape([4, 2, 4, 3]), repeating: 2)
    let reads = try net.add(
      .deconvolution(Deconvolution(filters: 2, window: window)), "reader", [input],
      [weights, Tensor(shape: .vector(2), values: [1, 2])])
    let result = try fold([reads], of: net)
    #expect(try result.weights("reader")[0] == 2)
    #expect(try result.weights("dead")[0] == 2)
    #expect(result.types.contains("BorderBias"))
  }
}
