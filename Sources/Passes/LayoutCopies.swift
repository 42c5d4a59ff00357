import IR

/// A value in another layout than its producer writes.
struct LayoutCopy: Hashable {
  var value: ValueID
  var layout: Layout
}

extension LoweredGraph {
  /// The copies that a node needs because its kernel cannot read the layouts of its inputs, by index of input.
  func copies(before id: NodeID) -> [(input: Int, copy: LayoutCopy)] {
    guard let choice = chosen(id) else { return [] }
    let output = graph[id].outputs.first.flatMap { layouts[$0] } ?? .dense
    return choice.inputs.enumerated().compactMap { index, need in
      let value = graph[id].inputs[index]
      let layout = layouts[value] ?? .dense
      guard var wanted = need.replacement(for: layout, output: output) else { return nil }
      if choice.keepsRowPitch, need != .sameAsOutput {
        wanted.widenRows(
          to: pitches(of: graph[id].outputs[0]).rowPitch, of: graph[value].shape)
      }
      return (index, LayoutCopy(value: value, layout: wanted))
    }
  }
}

extension ChooseKernels {
  /// Layers whose choice makes copies necessary, and the nodes on both of their sides, get the next best kernel if
  /// what that costs is less than what it saves in copies of the whole network; until none does.
  ///
  /// Copies into phases are not among them: every kernel that reads phases has their cost in its own.
  func avoidCopies(in lowered: inout LoweredGraph) {
    var copies = copiesThatMatter(in: lowered)
    var seconds = self.seconds(copies, in: lowered.graph)
    // Each change saves time, so there is an end; the bound keeps it near.
    var changes = lowered.graph.order.count
    while changes > 0, let better = improvement(of: lowered, copies, seconds) {
      lowered = better
      copies = copiesThatMatter(in: lowered)
      seconds = self.seconds(copies, in: lowered.graph)
      changes -= 1
    }
  }

  /// The first change of one kernel by which the network gains.
  private func improvement(
    of lowered: LoweredGraph, _ copies: [LayoutCopy: Set<NodeID>], _ seconds: Double
  ) -> LoweredGraph? {
    let graph = lowered.graph
    let beside = copies.reduce(into: Set<NodeID>()) { nodes, copy in
      nodes.formUnion(copy.value)
      nodes.formUnion(graph.consumers(of: copy.key.value))
      if let producer = graph.producer(of: copy.key.value) { nodes.insert(producer) }
    }
    for id in graph.order where beside.contains(id) && forced[graph[id].name] == nil {
      guard let choice = lowered.kernels[id], let present = lowered.chosen(id),
        let cost = present.decidingCost, !present.isHinted
      else { continue }
      for other in eligible(choice.candidates)
      where other.kernel != present.kernel && other.codeBytes <= present.codeBytes {
        guard let otherCost = other.decidingCost, otherCost - cost < seconds else { continue }
        var trial = lowered
        trial.kernels[id]?.kernel = other.kernel
        trial.kernels[id]?.predictedCost = other.cost ?? otherCost
        trial.kernels[id]?.reason =
          other.reason + "; \(present.kernel) would be faster, but not with the copies it takes"
        trial.layouts = LayoutFamilies(trial).layouts()
        let trialSeconds = self.seconds(copiesThatMatter(in: trial), in: graph)
        if otherCost - cost + trialSeconds < seconds { return trial }
      }
    }
    return nil
  }

  /// All copies but those into phases, with their readers.
  private func copiesThatMatter(in lowered: LoweredGraph) -> [LayoutCopy: Set<NodeID>] {
    var result: [LayoutCopy: Set<NodeID>] = [:]
    for id in lowered.graph.order {
      for (_, copy) in lowered.copies(before: id) {
        if case .phases = copy.layout { continue }
        result[copy, default: []].insert(id)
      }
    }
    return result
  }

  private func seconds(_ copies: [LayoutCopy: Set<NodeID>], in graph: Graph) -> Double {
    copies.keys.reduce(0) { $0 + source.copySeconds(of: $1.value, in: graph) }
  }
}

extension Layout {
  /// Sets rows of a value of `shape` further apart, up to `pitch`.
  fileprivate mutating func widenRows(to pitch: Int, of shape: Shape) {
    switch self {
    case .dense: break
    case .planes(var halo):
      halo.gap = max(halo.gap, pitch - shape[shape.axes - 1])
      self = .planes(halo)
    case .phases(var split):
      split.columns = max(split.columns, pitch)
      self = .phases(split)
    }
  }
}

extension LayoutNeed {
  /// The layout to copy a value into, if this need cannot be met by `layout` itself; `output` is that of the
  /// reader's output.
  fileprivate func replacement(for layout: Layout, output: Layout) -> Layout? {
    switch (self, layout) {
    case (.sameAsOutput, _): return layout == output ? nil : output
    case (.dense, .dense): return nil
    case (.dense, .planes), (.dense, .phases): return .dense
    case (.planes(let halo), .planes(let present)):
      return present.covers(halo) ? nil : .planes(halo.union(present))
    case (.planes(let halo), .dense): return halo == .none ? nil : .planes(halo)
    case (.planes(let halo), .phases): return halo == .none ? .dense : .planes(halo)
    case (.phases(let split), .phases(let present)):
      return split == present ? nil : .phases(split)
    case (.phases(let split), .dense), (.phases(let split), .planes): return .phases(split)
    }
  }
}
