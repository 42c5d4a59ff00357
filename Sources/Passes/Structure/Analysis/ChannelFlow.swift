import IR

/// How the channels (axis 1) of a layer's inputs become those of its outputs.
enum ChannelFlow: Hashable {
  /// Channel c of the inputs with these indices makes channel c of every output: none of them can lose it
  /// alone. Other inputs give only their size.
  case together([Int])
  /// As `together`, but a channel also sees its neighbours: LRN.
  case neighbours
  /// Filters read channels through weights: see `WeightedLayer`.
  case weighted
  /// The inputs' channels follow each other.
  case concatenated
  /// Each output has a run of the input's channels; where the runs begin.
  case sliced([Int])
  /// Each channel becomes so many of the output's channels.
  case flattened(Int)
  /// The input gives only the number of items.
  case constant
  /// Every channel is read, and every channel is made, together with all others; the reason is a clause
  /// about the layer.
  case whole(because: String)

  /// How channels flow through a node.
  init(of id: NodeID, in graph: Graph) {
    let node = graph[id]
    let inputs = graph.inputShapes(of: id)
    let outputs = graph.outputShapes(of: id)
    guard let input = inputs.first, let output = outputs.first, input.axes >= 2, output.axes >= 2
    else {
      self = Self.withoutChannels(node)
      return
    }
    switch node.operation {
    case .convolution, .deconvolution, .innerProduct:
      self =
        WeightedLayer(node, in: graph) == nil
        ? .whole(because: "its weights do not stand along the channels") : .weighted
    case .elementwise, .preLU, .borderBias, .pooling, .identity, .split: self = .together([0])
    case .eltwise: self = .together(Array(node.inputs.indices))
    case .crop(let layer):
      self =
        Self.axis(layer.axis, input) >= 2
        ? .together([0]) : .whole(because: "it crops channels")
    case .batchNorm(let layer):
      self =
        layer.usesStoredStatistics
        ? .together([0]) : .whole(because: "it measures the batch's statistics")
    case .batchReindex: self = .together([0])
    case .bias(let layer):
      self = Self.broadcast(node, inputs, axis: layer.axis, spans: layer.coversChannels(of: input))
    case .scale(let layer):
      self = Self.broadcast(node, inputs, axis: layer.axis, spans: layer.coversChannels(of: input))
    case .concat(let layer):
      self =
        Self.axis(layer.axis, input) == 1
        ? .concatenated : .together(Array(node.inputs.indices))
    case .slice(let layer):
      var start = 0
      let starts = outputs.map { shape in
        defer { start += shape[1] }
        return start
      }
      self = Self.axis(layer.axis, input) == 1 ? .sliced(starts) : .together([0])
    case .tile(let layer):
      self =
        Self.axis(layer.axis, input) == 1
        ? .whole(because: "it repeats channels") : .together([0])
    case .lrn(let layer):
      self = layer.region == .acrossChannels ? .neighbours : .together([0])
    case .mvn(let layer):
      self =
        layer.acrossChannels || input.axes < 3
        ? .whole(because: "it normalises over all channels") : .together([0])
    case .softmax(let layer):
      self =
        Self.axis(layer.axis, input) == 1
        ? .whole(because: "it normalises over all channels") : .together([0])
    case .flatten, .reshape: self = Self.reshaped(input, output)
    case .constant: self = .constant
    case .argMax, .embed, .im2col, .parameter, .reduction, .repack, .silence,
      .spatialPyramidPooling:
      self = .whole(because: "it takes all channels together")
    }
  }

  private static func withoutChannels(_ node: Node) -> ChannelFlow {
    if case .constant = node.operation { return .constant }
    return .whole(because: "it takes all elements together")
  }

  /// A Scale or Bias: learned numbers per channel, or the same for all, or a second input.
  private static func broadcast(_ node: Node, _ inputs: [Shape], axis: Int, spans: Bool)
    -> ChannelFlow
  {
    if inputs.count == 1 {
      if spans || node.parameters.allSatisfy({ $0.count == 1 }) { return .together([0]) }
      return .whole(because: "its numbers are not one per channel")
    }
    let first = Self.axis(axis, inputs[0])
    let covered = first..<first + inputs[1].axes
    guard node.parameters.isEmpty else {
      return .whole(because: "its numbers are not one per channel")
    }
    if !covered.contains(1) { return .together([0]) }
    // A factor per item and channel: squeeze and excitation.
    if first == 0 { return .together([0, 1]) }
    return .whole(because: "its second input has a channel axis of its own")
  }

  /// A new shape that leaves channels alone, or merges each with the axes behind it.
  private static func reshaped(_ input: Shape, _ output: Shape) -> ChannelFlow {
    if input[0] == output[0], input[1] == output[1] { return .together([0]) }
    if input[0] == output[0], output.axes == 2 { return .flattened(input.count(from: 2)) }
    return .whole(because: "its new shape mixes channels with other axes")
  }

  private static func axis(_ axis: Int, _ shape: Shape) -> Int {
    axis < 0 ? axis + shape.axes : axis
  }
}
