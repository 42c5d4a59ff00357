import IR

/// Finds a layout for every value such that copies are rare.
///
/// Values that can share memory form a family and get one layout: the inputs and the output of a Concat along
/// channels, those of a Slice, what an element-by-element layer reads and writes, and what a convolution adds to
/// and writes. A family is dense
/// unless a reader asks for a halo.
struct LayoutFamilies {
  private let lowered: LoweredGraph
  private var families = DisjointSets<ValueID>()

  init(_ lowered: LoweredGraph) {
    self.lowered = lowered
    for value in lowered.graph.liveValues { families.insert(value) }
    for id in lowered.graph.order { join(id) }
  }

  /// The layout of every value.
  func layouts() -> [ValueID: Layout] {
    let graph = lowered.graph
    var wishes: [ValueID: Wish] = [:]
    for id in graph.order {
      guard let chosen = lowered.chosen(id), graph[id].readsItsInputs else { continue }
      for (value, need) in zip(graph[id].inputs, chosen.inputs) {
        wishes[find(value), default: Wish()].add(need)
      }
    }
    let limited = denseOnlyValues()
    for value in limited { wishes[find(value), default: Wish()].isLimited = true }
    for (family, gap) in sharedGaps(wishes) { wishes[family, default: Wish()].offer(gap: gap) }
    var result: [ValueID: Layout] = [:]
    for value in graph.liveValues {
      let wish = wishes[find(value)] ?? Wish()
      let layout = wish.layout(for: graph[value].shape)
      result[value] = limited.contains(value) ? .dense : layout
    }
    return result
  }

  /// The gap between rows of each family that is on one of the ends of a layer which wants the same row pitch on
  /// both: what brings it to the widest pitch among the families that are linked to it by such layers.
  private func sharedGaps(_ wishes: [ValueID: Wish]) -> [ValueID: Int] {
    let graph = lowered.graph
    var links = DisjointSets<ValueID>()
    var pitches: [ValueID: Int] = [:]
    var widths: [ValueID: Int] = [:]
    func note(_ value: ValueID) {
      let family = find(value)
      guard let width = graph[value].shape.extents.last else { return }
      widths[family] = width
      let pitch = width + (wishes[family]?.halo.gap ?? 0)
      pitches[family] = max(pitches[family] ?? 0, pitch)
    }
    for id in graph.order {
      guard let chosen = lowered.chosen(id), chosen.keepsRowPitch else { continue }
      let (input, output) = (graph[id].inputs[0], graph[id].outputs[0])
      let (from, to) = (find(input), find(output))
      links.insert(to)
      note(output)
      guard let width = widths[to] else { continue }
      if case .phases(let split) = chosen.inputs[0] {
        pitches[to] = max(pitches[to] ?? 0, split.columns)
      } else if let whole = graph[input].shape.extents.last, whole * 2 <= width * 3 {
        // An output that is much narrower would be gaps for the most part.
        links.join(to, from)
        note(input)
      }
    }
    var widest: [ValueID: Int] = [:]
    for family in links.members {
      let leader = links.leader(of: family)
      widest[leader] = max(widest[leader] ?? 0, pitches[family] ?? 0)
    }
    var gaps: [ValueID: Int] = [:]
    for family in links.members {
      guard let width = widths[family], let pitch = widest[links.leader(of: family)] else {
        continue
      }
      gaps[family] = max(0, pitch - width)
    }
    return gaps
  }

  /// Values whose producers can write nothing but rows without gaps; network inputs are among them.
  private func denseOnlyValues() -> Set<ValueID> {
    var result = Set(lowered.graph.inputs)
    for id in lowered.graph.order {
      guard let chosen = lowered.chosen(id) else { continue }
      for (value, offer) in zip(lowered.graph[id].outputs, chosen.outputs)
      where offer == .denseOnly { result.insert(value) }
    }
    return result
  }

  private mutating func join(_ id: NodeID) {
    let node = lowered.graph[id]
    let members: [ValueID]
    switch node.operation {
    case .concat, .slice, .elementwise, .eltwise, .preLU: members = node.inputs + node.outputs
    // A second input is broadcast and lies elsewhere.
    case .batchNorm, .bias, .borderBias, .scale: members = [node.inputs[0], node.outputs[0]]
    case .convolution(let layer):
      guard layer.addsToInput else { return }
      members = [node.inputs[1], node.outputs[0]]
    case .argMax, .batchReindex, .constant, .crop, .deconvolution, .embed, .flatten,
      .identity, .im2col, .innerProduct, .lrn, .mvn, .parameter, .pooling, .reduction, .repack,
      .reshape, .silence, .softmax, .spatialPyramidPooling, .split, .tile:
      return
    }
    // A halo surrounds the last two axes, so those of all members must agree.
    let planes = members.map { lowered.graph[$0].shape.extents.suffix(2) }
    guard planes.dropFirst().allSatisfy({ $0 == planes[0] }) else { return }
    for value in members.dropFirst() { families.join(members[0], value) }
  }

  private func find(_ value: ValueID) -> ValueID { families.leader(of: value) }
}

extension Node {
  /// Whether it looks at values, not only at how many items there are.
  fileprivate var readsItsInputs: Bool {
    if case .constant = operation { return false }
    return true
  }
}

/// What the readers of a family ask for, together.
private struct Wish {
  var halo = Halo.none
  var needsDense = false
  var needsPlanes = false
  /// Whether a member can only be dense.
  var isLimited = false

  mutating func add(_ need: LayoutNeed) {
    switch need {
    case .dense: needsDense = true
    case .planes(let asked):
      halo = halo.union(asked)
      needsPlanes = true
    case .phases, .sameAsOutput: break
    }
  }

  /// Takes a wider gap, unless somebody needs rows without.
  mutating func offer(gap: Int) {
    if halo != .none || !needsDense { halo.gap = max(halo.gap, gap) }
  }

  /// Without a halo, aligned planes are still read faster than dense ones, unless somebody needs these or
  /// planes are so small that the space between them would outweigh them.
  func layout(for shape: Shape) -> Layout {
    if halo != .none { return .planes(halo) }
    let isLarge = shape.axes == 4 && shape[2] * shape[3] >= 49
    return isLarge && needsPlanes && !needsDense && !isLimited ? .planes(.none) : .dense
  }
}
