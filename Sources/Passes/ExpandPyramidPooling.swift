import IR

/// Rewrites spatial pyramid pooling into what it is: a pooling per level, flattened and joined.
public struct ExpandPyramidPooling: Pass {
  public let name = "expand-pyramid-pooling"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      guard case .spatialPyramidPooling(let layer) = graph[id].operation else { continue }
      do {
        try expand(id, layer, in: &result.graph)
      } catch {
        throw PassError("layer \(graph[id].name): \(error)")
      }
    }
    return result
  }

  private func expand(_ id: NodeID, _ layer: SpatialPyramidPooling, in graph: inout Graph)
    throws(ShapeError)
  {
    let node = graph[id]
    let shape = graph[node.inputs[0]].shape
    if layer.height == 1 {
      graph.update(id) { $0.operation = .pooling(layer.pooling(level: 0, for: shape)) }
      return
    }
    var levels: [ValueID] = []
    for level in 0..<layer.height {
      let name = "\(node.name)/level\(level)"
      let pooled = try graph.insert(
        before: id, .pooling(layer.pooling(level: level, for: shape)), name: name,
        inputs: [node.inputs[0]], outputNames: [name])
      let flat = try graph.insert(
        before: id, .flatten(Flatten()), name: "\(name)/flatten",
        inputs: [graph[pooled].outputs[0]], outputNames: ["\(name)/flatten"])
      levels.append(graph[flat].outputs[0])
    }
    graph.update(id) {
      $0.operation = .concat(Concat(axis: 1))
      $0.inputs = levels
    }
  }
}
