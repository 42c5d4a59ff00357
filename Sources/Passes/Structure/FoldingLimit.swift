import IR

/// The largest value, in elements of one item, of a network that structure passes look into: what they know of
/// channels and positions takes memory in proportion.
enum FoldingLimit {
  static let elements = 1 << 24

  /// What a pass returns for a network with a larger value: the network as it is, and the layer that is too large;
  /// nil if there is none.
  static func refusal(of graph: Graph) -> PassOutcome? {
    for id in graph.order {
      guard graph.outputShapes(of: id).contains(where: { $0.count > elements }) else { continue }
      let reason =
        "its result has more than \(elements) elements: zeros of this network are not folded"
      return PassOutcome(graph: graph, findings: [Finding(graph[id], .kept, reason)])
    }
    return nil
  }
}
