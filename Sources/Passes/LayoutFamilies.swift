import IR

/// Finds a layout for every value such that copies are rare.
///
/// Values that can share memory form a family and get one layout: the inputs and the output of a Concat along
/// channels, those of a Slice, and what an element-by-element layer reads and writes. A family is dense
/// unless a reader asks for a halo.
struct LayoutFamilies {
  private let lowered: LoweredGraph
  private var parents: [ValueID: ValueID] = [:]

  init(_ lowered: LoweredGraph) {
    self.lowered = lowered
    for value in lowered.graph.liveValues { parents[value] = value }
    for id in lowered.graph.order { join(id) }
  }

  /// The layout of every value.
  func layouts() -> [ValueID: Layout] {
    let graph = lowered.graph
    var halos: [ValueID: Halo] = [:]
    for id in graph.order {
      guard let chosen = lowered.chosen(id) else { continue }
      for (value, need) in zip(graph[id].inputs, chosen.inputs) {
        guard case .planes(let halo) = need else { continue }
        let root = find(value)
        halos[root] = (halos[root] ?? .none).union(halo)
      }
    }
    let limited = denseOnlyValues()
    var result: [ValueID: Layout] = [:]
    for value in graph.liveValues {
      let halo = halos[find(value)] ?? .none
      result[value] = halo == .none || limited.contains(value) ? .dense : .planes(halo)
    }
    return result
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
    case .batchNorm, .bias, .scale: members = [node.inputs[0], node.outputs[0]]
    case .argMax, .batchReindex, .convolution, .crop, .deconvolution, .embed, .flatten, .identity,
      .im2col, .innerProduct, .lrn, .mvn, .parameter, .pooling, .reduction, .repack, .reshape,
      .silence, .softmax, .spatialPyramidPooling, .split, .tile:
      return
    }
    // A halo surrounds the last two axes, so those of all members must agree.
    let planes = members.map { lowered.graph[$0].shape.extents.suffix(2) }
    guard planes.dropFirst().allSatisfy({ $0 == planes[0] }) else { return }
    for value in members.dropFirst() { union(members[0], value) }
  }

  private func find(_ value: ValueID) -> ValueID {
    var root = value
    while let parent = parents[root], parent != root { root = parent }
    return root
  }

  private mutating func union(_ a: ValueID, _ b: ValueID) {
    let (first, second) = (find(a), find(b))
    // The older value leads, so that the result does not depend on the order of joins.
    if first < second { parents[second] = first } else { parents[first] = second }
  }
}
