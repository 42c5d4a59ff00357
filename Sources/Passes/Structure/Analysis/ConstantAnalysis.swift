import IR

/// Finds the channels of all values whose content does not depend on the network's input.
///
/// A filter that is all zero leaves its bias; what follows (activation, normalisation, pooling, LRN, Concat,
/// Eltwise, Slice, further weights) is followed channel by channel, rounded to float behind each layer as
/// the network itself does it.
struct ConstantAnalysis {
  let graph: Graph
  private var known: [ValueID: KnownChannels] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    for id in graph.order {
      for (output, channels) in zip(graph[id].outputs, results(of: id)) {
        known[output] = channels
      }
    }
  }

  /// What is known of a value; nil if nothing.
  subscript(value: ValueID) -> KnownChannels? { known[value] }

  /// What is known of one channel of a value.
  func content(of value: ValueID, channel: Int) -> [Float]? { known[value]?.channels[channel] }

  /// What is known of the outputs of a node; fewer entries than outputs stand for nothing known.
  private func results(of id: NodeID) -> [KnownChannels?] {
    let node = graph[id]
    guard let output = node.outputs.first.map({ graph[$0].shape }), output.axes >= 2 else {
      return []
    }
    let shapes = graph.inputShapes(of: id)
    let inputs = node.inputs.map { known[$0] }
    if let layer = WeightedLayer(node, in: graph) {
      return [layer.knownFilters(reading: inputs[0], inputShape: shapes[0], output: output)]
    }
    switch ChannelFlow(of: id, in: graph) {
    case .concatenated: return [joined(inputs, shapes, output)]
    case .sliced(let starts):
      return zip(starts, graph.outputShapes(of: id)).map { start, shape in
        inputs[0].flatMap { input in
          KnownChannels(
            positions: input.positions, channels: Array(input.channels[start..<start + shape[1]]))
        }
      }
    case .flattened: return [flattened(inputs[0], output)]
    case .together, .neighbours: return node.outputs.map { _ in perChannel(node, shapes, inputs) }
    // What became a constant in an earlier round is known in this one.
    case .constant: return [KnownChannels(item: node.parameters[0], shape: output)]
    case .weighted, .whole: return []
    }
  }

  private func joined(_ inputs: [KnownChannels?], _ shapes: [Shape], _ output: Shape)
    -> KnownChannels?
  {
    guard inputs.contains(where: { $0 != nil }) else { return nil }
    let (positions, contents) = KnownChannels.align(inputs, shape: output)
    let channels = zip(contents, shapes).flatMap { contents, shape in
      contents ?? [[Float]?](repeating: nil, count: shape[1])
    }
    return KnownChannels(positions: positions, channels: channels)
  }

  private func flattened(_ input: KnownChannels?, _ output: Shape) -> KnownChannels? {
    guard let input else { return nil }
    let classes = input.positions.classOfPosition
    let numbers = input.channels.flatMap { content in
      classes.map { number in content.map { $0[number] } }
    }
    return KnownChannels(uniform: numbers, shape: output)
  }
}
