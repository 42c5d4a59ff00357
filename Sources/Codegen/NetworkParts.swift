import IR

/// A network in two parts: the head runs item by item, the tail runs all items of a batch together.
///
/// Layers whose weights outweigh their values, inner products above all, read their weights once for all items;
/// everything before them stays in the caches by going depth first. The tail begins with such layers and has all that
/// follows from them, as far as it is done by light layers: one behind which convolutions follow stays in the head.
struct NetworkParts {
  /// All of the network if there is no tail.
  let head: LoweredGraph
  let tail: LoweredGraph?
  /// What the head makes and the tail reads.
  let handovers: [ValueID]

  /// Cuts a network; `sharesWeights` says which nodes run better on several items at once.
  init(_ lowered: LoweredGraph, sharesWeights: (NodeID) -> Bool) {
    let graph = lowered.graph
    let nodes = Self.tailNodes(of: lowered, sharesWeights)
    guard !nodes.isEmpty else {
      (head, tail, handovers) = (lowered, nil, [])
      return
    }
    let made = Set(nodes.flatMap { graph[$0].outputs })
    var read: Set<ValueID> = []
    for id in nodes { read.formUnion(graph[id].inputs.filter { !made.contains($0) }) }
    handovers = read.sorted()
    let before = graph.outputs.filter { !made.contains($0) }
    var (first, second) = (lowered, lowered)
    first.graph = graph.part(
      inputs: graph.inputs, outputs: before + handovers.filter { !before.contains($0) }
    ) { !nodes.contains($0) }
    second.graph = graph.part(
      inputs: handovers, outputs: graph.outputs.filter(made.contains)
    ) { nodes.contains($0) }
    (head, tail) = (first, second)
  }

  /// Layers that can run behind the head, from those that share weights on.
  private static func tailNodes(
    of lowered: LoweredGraph, _ sharesWeights: (NodeID) -> Bool
  ) -> Set<NodeID> {
    let graph = lowered.graph
    let consumers = graph.consumerTable()
    func allReaders(of id: NodeID, are set: Set<NodeID>) -> Bool {
      graph[id].outputs.allSatisfy { (consumers[$0] ?? []).allSatisfy(set.contains) }
    }
    let overwritten = overwrittenValues(in: graph)
    var possible: Set<NodeID> = []
    for id in graph.order.reversed()
    where isLight(id, lowered) && allReaders(of: id, are: possible)
      && overwritten.isDisjoint(with: graph[id].inputs)
    {
      possible.insert(id)
    }
    var chosen: Set<NodeID> = []
    for id in graph.order where possible.contains(id) {
      let follows = graph[id].inputs.contains { value in
        graph.producer(of: value).map(chosen.contains) ?? false
      }
      if follows || sharesWeights(id) { chosen.insert(id) }
    }
    // A Flatten before them is but a view of what is handed over.
    for id in graph.order.reversed() where possible.contains(id) && !chosen.contains(id) {
      let isResult = graph[id].outputs.contains(where: graph.isOutput)
      let readers = graph[id].outputs.flatMap { consumers[$0] ?? [] }
      if isView(graph[id]), !isResult, !readers.isEmpty, readers.allSatisfy(chosen.contains) {
        chosen.insert(id)
      }
    }
    return chosen
  }

  /// What convolutions write over, which is gone when the tail runs.
  private static func overwrittenValues(in graph: Graph) -> Set<ValueID> {
    var result: Set<ValueID> = []
    for id in graph.order {
      if case .convolution(let layer) = graph[id].operation, layer.addsToInput {
        result.insert(graph[id].inputs[1])
      }
    }
    return result
  }

  private static func isView(_ node: Node) -> Bool {
    if case .flatten = node.operation { return true }
    if case .reshape = node.operation { return true }
    return false
  }

  /// Whether a layer works on rows without gaps, and does not slide over planes.
  private static func isLight(_ id: NodeID, _ lowered: LoweredGraph) -> Bool {
    let node = lowered.graph[id]
    guard (node.inputs + node.outputs).allSatisfy({ (lowered.layouts[$0] ?? .dense) == .dense })
    else { return false }
    switch node.operation {
    case .argMax, .batchNorm, .batchReindex, .bias, .concat, .constant, .crop, .elementwise,
      .eltwise, .embed, .flatten, .identity, .innerProduct, .mvn, .parameter, .preLU, .reduction,
      .repack, .reshape, .scale, .silence, .slice, .softmax, .split, .tile:
      return true
    case .borderBias, .convolution, .deconvolution, .im2col, .lrn, .pooling,
      .spatialPyramidPooling:
      return false
    }
  }
}
