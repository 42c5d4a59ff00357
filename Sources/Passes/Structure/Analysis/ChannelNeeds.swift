import IR

/// Which channels of all values are read by somebody, and which have to stay.
///
/// A channel is *needed* if its content reaches an output of the network through a live weight. A channel is
/// *kept* if it is needed, or if the shape of a layer wants it: all inputs of an Eltwise have the same
/// channels, all groups of a convolution as many as each other. Both sets only grow, from the network's
/// outputs upward, until nothing changes.
struct ChannelNeeds {
  let graph: Graph
  let analysis: ConstantAnalysis
  let vocabulary: LayerVocabulary
  /// By index of the value; one flag per channel, or one for a value that has no axis 1.
  private var needed: [[Bool]]
  private var kept: [[Bool]]
  private var isChanging = false
  private let layers: [NodeID: WeightedLayer]
  private let flows: [NodeID: ChannelFlow]

  init(_ graph: Graph, _ analysis: ConstantAnalysis, vocabulary: LayerVocabulary) {
    self.graph = graph
    self.analysis = analysis
    self.vocabulary = vocabulary
    layers = Dictionary(
      uniqueKeysWithValues: graph.order.compactMap { id in
        WeightedLayer(graph[id], in: graph).map { (id, $0) }
      })
    flows = Dictionary(
      uniqueKeysWithValues: graph.order.map { ($0, ChannelFlow(of: $0, in: graph)) })
    let values = graph.liveValues
    needed = [[Bool]](repeating: [], count: (values.map(\.index).max() ?? -1) + 1)
    for value in values {
      needed[value.index] = [Bool](
        repeating: false, count: Self.channels(of: graph[value].shape))
    }
    kept = needed
    // Inputs and outputs are the network's interface.
    for value in graph.inputs { keepAll(of: value) }
    for value in graph.outputs { needAll(of: value) }
    repeat {
      isChanging = false
      for id in graph.order.reversed() { visit(id) }
    } while isChanging
  }

  // MARK: Answers

  /// The channels that stay.
  func keptChannels(of value: ValueID) -> [Int] {
    kept[value.index].indices.filter { kept[value.index][$0] }
  }

  /// Whether the content of a channel must be right.
  func isNeeded(_ channel: Int, of value: ValueID) -> Bool { needed[value.index][channel] }

  /// Whether somebody reads a value, or its size.
  func isAlive(_ value: ValueID) -> Bool { kept[value.index].contains(true) }

  /// Whether all channels of a value stay.
  func isWhole(_ value: ValueID) -> Bool { !kept[value.index].contains(false) }

  /// How channels flow through a node.
  func flow(of id: NodeID) -> ChannelFlow { flows[id] ?? .whole(because: "it is not in the graph") }

  /// The node as a layer of weights, if it is one.
  func weightedLayer(_ id: NodeID) -> WeightedLayer? { layers[id] }

  /// Whether all that is needed of a layer's result is known: a Constant can take its place.
  func isConstant(_ id: NodeID) -> Bool {
    let node = graph[id]
    guard node.outputs.count == 1, flow(of: id) != .constant,
      let known = analysis[node.outputs[0]], graph.itemSource(of: id) != nil
    else { return false }
    let flags = needed[node.outputs[0].index]
    return flags.contains(true)
      && zip(flags, known.channels).allSatisfy { needed, content in !needed || content != nil }
  }

  /// For an LRN the removed channels whose squares a channel's window still has to count.
  func removedNeighbours(of channel: Int, reading value: ValueID, _ layer: LRN) -> [Int] {
    window(of: channel, reading: value, layer).filter { !kept[value.index][$0] }
  }

  // MARK: Growing

  private mutating func visit(_ id: NodeID) {
    let node = graph[id]
    guard node.outputs.isEmpty || node.outputs.contains(where: isAlive), !isConstant(id) else {
      return
    }
    switch flow(of: id) {
    case .together(let indices): visitTogether(node, indices)
    case .neighbours: visitNeighbours(node)
    case .weighted: if let layer = layers[id] { visitWeighted(node, layer) }
    case .concatenated:
      var start = 0
      for input in node.inputs {
        let count = Self.channels(of: graph[input].shape)
        for channel in 0..<count {
          couple(input, channel, node.outputs[0], start + channel)
        }
        start += count
      }
    case .sliced(let starts):
      for (output, start) in zip(node.outputs, starts) {
        for channel in 0..<Self.channels(of: graph[output].shape) {
          couple(node.inputs[0], start + channel, output, channel)
        }
      }
    case .flattened(let size):
      for channel in 0..<Self.channels(of: graph[node.inputs[0]].shape) {
        for place in 0..<size {
          couple(node.inputs[0], channel, node.outputs[0], channel * size + place)
        }
      }
    case .constant: break
    case .whole:
      for input in node.inputs { needAll(of: input) }
      for output in node.outputs { keepAll(of: output) }
    }
    // Even a layer that reads nothing of an input needs it for its size; a Concat has it from the others.
    if case .concatenated = flow(of: id) { return }
    for input in node.inputs where !isAlive(input) { keep(0, of: input) }
  }

  private mutating func visitTogether(_ node: Node, _ indices: [Int]) {
    let count = Self.channels(of: graph[node.outputs[0]].shape)
    for channel in 0..<count {
      for output in node.outputs {
        for index in indices {
          let input = node.inputs[index]
          // What is known of the output but not of the input does not depend on the input.
          let isHidden =
            analysis.content(of: output, channel: channel) != nil
            && analysis.content(of: input, channel: channel) == nil
          couple(input, channel, output, channel, readsContent: !isHidden)
        }
      }
    }
  }

  private mutating func visitNeighbours(_ node: Node) {
    guard case .lrn(let layer) = node.operation else { return }
    let (input, output) = (node.inputs[0], node.outputs[0])
    if vocabulary == .caffe {
      // Caffe's LRN has no gaps: all channels stay as soon as one does.
      keepAll(of: input)
      keepAll(of: output)
    }
    for channel in 0..<Self.channels(of: graph[output].shape) {
      couple(input, channel, output, channel)
      guard isNeeded(channel, of: output) else { continue }
      for neighbour in window(of: channel, reading: input, layer)
      where analysis[input]?.uniform(neighbour) == nil || kept[input.index][neighbour] {
        need(neighbour, of: input)
      }
    }
  }

  private func window(of channel: Int, reading value: ValueID, _ layer: LRN) -> Range<Int> {
    layer.windows(channels: Self.channels(of: graph[value].shape))[channel]
  }

  private mutating func visitWeighted(_ node: Node, _ layer: WeightedLayer) {
    let (input, output) = (node.inputs[0], node.outputs[0])
    for group in 0..<layer.groups {
      // A filter whose output is known needs nobody: its weights are zero, or become it.
      let readers = layer.filters(of: group).filter { isNeeded($0, of: output) }
      for channel in layer.channels(of: group)
      where !isNeeded(channel, of: input)
        && readers.contains(where: { layer.reads(filter: $0, channel: channel) })
      { need(channel, of: input) }
    }
    if !isAlive(input) { keep(0, of: input) }
    if layer.groups > 1 { level(layer, input, output) }
  }

  /// Lets all groups that stay have as many channels as each other, and as many filters.
  private mutating func level(_ layer: WeightedLayer, _ input: ValueID, _ output: ValueID) {
    func stay(_ range: Range<Int>, _ value: ValueID) -> Int {
      range.count { kept[value.index][$0] }
    }
    let groups = (0..<layer.groups).filter {
      stay(layer.channels(of: $0), input) > 0 || stay(layer.filters(of: $0), output) > 0
    }
    let channels = groups.map { stay(layer.channels(of: $0), input) }.max() ?? 0
    let filters = groups.map { stay(layer.filters(of: $0), output) }.max() ?? 0
    for group in groups {
      keep(atLeast: max(channels, 1), of: layer.channels(of: group), input)
      keep(atLeast: max(filters, 1), of: layer.filters(of: group), output)
    }
  }

  private mutating func keep(atLeast count: Int, of range: Range<Int>, _ value: ValueID) {
    var missing = count - range.count { kept[value.index][$0] }
    for channel in range where missing > 0 && !kept[value.index][channel] {
      keep(channel, of: value)
      missing -= 1
    }
  }

  /// A channel of an input and one of an output stay together, and the input's is needed for the output's.
  private mutating func couple(
    _ input: ValueID, _ channel: Int, _ output: ValueID, _ outputChannel: Int,
    readsContent: Bool = true
  ) {
    if kept[output.index][outputChannel] { keep(channel, of: input) }
    if kept[input.index][channel] { keep(outputChannel, of: output) }
    if readsContent, isNeeded(outputChannel, of: output) { need(channel, of: input) }
  }

  private mutating func keep(_ channel: Int, of value: ValueID) {
    guard !kept[value.index][channel] else { return }
    kept[value.index][channel] = true
    isChanging = true
  }

  private mutating func need(_ channel: Int, of value: ValueID) {
    keep(channel, of: value)
    guard !needed[value.index][channel] else { return }
    needed[value.index][channel] = true
    isChanging = true
  }

  private mutating func keepAll(of value: ValueID) {
    for channel in kept[value.index].indices { keep(channel, of: value) }
  }

  private mutating func needAll(of value: ValueID) {
    for channel in needed[value.index].indices { need(channel, of: value) }
  }

  private static func channels(of shape: Shape) -> Int { shape.axes >= 2 ? shape[1] : 1 }
}

extension Graph {
  /// The network input from which a node's items come, for a Constant to count; nil if the node hangs on
  /// something else.
  func itemSource(of id: NodeID) -> ValueID? {
    guard case .perItem = batch else { return matchingInput(of: id) }
    var node = self[id]
    while let first = node.inputs.first {
      guard let producer = producer(of: first) else { return first }
      node = self[producer]
    }
    return nil
  }

  /// In a graph of a fixed batch, an input with as many items as the node's result.
  private func matchingInput(of id: NodeID) -> ValueID? {
    let items = outputShapes(of: id)[0].extents.first
    return inputs.first { self[$0].shape.extents.first == items }
  }
}
