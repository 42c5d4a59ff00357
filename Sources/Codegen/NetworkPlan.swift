import IR

/// Where the values of both parts of a network lie.
struct NetworkPlan {
  struct Part {
    let lowered: LoweredGraph
    let plan: MemoryPlan
    /// In the tail the floats from an item's values to the next item's; nil in the head.
    let itemPitch: Int?
  }

  let head: Part
  let tail: Part?
  /// What the head makes and the tail reads.
  let handovers: [ValueID]
  /// What the tail's steps make, and what lies in it.
  private var tailValues: Set<ValueID> = []
  /// Views of what is handed over, which callers find where the head made it.
  private var views: [ValueID: ValueID] = [:]

  /// Plans a network whose nodes have kernels; it has a tail only if it `sharesItems`: if there are several.
  init(_ lowered: LoweredGraph, sharesItems: Bool, kernel: @escaping (NodeID) -> any Kernel) {
    let parts = NetworkParts(lowered) { sharesItems && kernel($0).sharesWeights }
    head = Part(
      lowered: parts.head, plan: MemoryPlan(parts.head) { kernel($0).worksInPlace },
      itemPitch: nil)
    tail = parts.tail.map { tail in
      let plan = MemoryPlan(tail) { kernel($0).worksInPlace }
      // An odd number of cache lines, so that items do not compete for the same cache sets.
      return Part(lowered: tail, plan: plan, itemPitch: ((plan.size + 15) / 16 | 1) * 16)
    }
    handovers = parts.handovers
    guard let tail else { return }
    for id in tail.lowered.graph.order {
      let node = tail.lowered.graph[id]
      let source = node.inputs.first.flatMap { handovers.contains($0) ? $0 : views[$0] }
      if tail.plan.idleNodes.contains(id), let source, node.outputs.count == 1 {
        views[node.outputs[0]] = source
      } else {
        tailValues.formUnion(node.outputs)
      }
    }
  }

  var parts: [Part] { [head] + (tail.map { [$0] } ?? []) }

  /// Where a value lies in the arena of the part that makes it: element (0, 0, 0), in floats.
  func place(of value: ValueID) -> Int {
    if let tail, tailValues.contains(value) { return place(of: value, in: tail) }
    return place(of: views[value] ?? value, in: head)
  }

  /// Where the tail reads a value that the head made.
  func handoverPlace(of value: ValueID) -> Int { place(of: value, in: tail ?? head) }

  private func place(of value: ValueID, in part: Part) -> Int {
    (part.plan.starts[value] ?? 0) + part.lowered.pitches(of: value).origin
  }
}
