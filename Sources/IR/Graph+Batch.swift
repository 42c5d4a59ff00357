extension Graph {
  /// Whether every layer leaves axis 0 alone, or the first reason why not.
  ///
  /// Axis 0 of every input counts the items, if all inputs agree about their number.
  public func analysedBatch() -> Batch {
    guard let first = inputs.first else { return .fixed(because: "it has no inputs") }
    guard inputs.allSatisfy({ self[$0].shape.axes >= 1 }) else {
      return .fixed(because: "an input has no axes")
    }
    let items = self[first].shape[0]
    if let other = inputs.first(where: { self[$0].shape[0] != items }) {
      return .fixed(
        because: "inputs \(self[first].name) and \(self[other].name) disagree about axis 0")
    }
    var batched = Set(inputs)
    for id in order {
      let node = self[id]
      let rule = node.operation.layer.batchRule(
        for: node.inputs.map { BatchedShape(self[$0].shape, isBatched: batched.contains($0)) })
      switch rule {
      case .perItem: batched.formUnion(node.outputs)
      case .constant: break
      case .mixes(let reason): return .fixed(because: "layer \(node.name): \(reason)")
      }
    }
    return .perItem
  }

  /// Reduces a graph whose layers leave axis 0 alone to the graph of one item, and notes which it is.
  public mutating func settleBatch() throws(ShapeError) {
    batch = analysedBatch()
    guard case .perItem = batch else { return }
    var shapes: [ValueID: Shape] = [:]
    for input in inputs { shapes[input] = try self[input].shape.replacing(axis: 0, with: 1) }
    try reshapeInputs(shapes)
  }
}
