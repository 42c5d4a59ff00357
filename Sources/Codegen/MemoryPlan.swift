import IR

/// Where every value lies in the one arena that a network works in.
///
/// Values that are parts or other views of one array share its memory: the inputs of a Concat lie inside its
/// output, the outputs of a Slice inside its input, Flatten and Reshape copy nothing, layers that work element by
/// element write over an input that nobody else needs, and convolutions write over what they add to. What is left is placed by lifetime.
public struct MemoryPlan: Sendable {
  /// Floats between the arena's end and the last float that a value occupies; kernels may read there.
  public static let slack = 64

  /// Where each value's memory begins, in floats; element (0, 0, 0) lies `Pitches.origin` further.
  public private(set) var starts: [ValueID: Int] = [:]
  /// Size of the arena in floats.
  public private(set) var size = 0
  /// Nodes that have nothing to do, since their outputs already lie where they belong.
  public private(set) var idleNodes: Set<NodeID> = []

  /// Plans a lowered graph; `worksInPlace` says which nodes may write over their first input.
  public init(_ lowered: LoweredGraph, worksInPlace: @escaping (NodeID) -> Bool) {
    var sharing = Sharing(lowered, worksInPlace: worksInPlace)
    sharing.build()
    idleNodes = sharing.idleNodes
    place(sharing)
  }

  /// First fit, larger and longer-lived arrays first.
  private mutating func place(_ sharing: Sharing) {
    struct Placed {
      var range: Range<Int>
      var span: ClosedRange<Int>
    }
    let roots = sharing.roots.sorted { a, b in
      let (sizeA, sizeB) = (sharing.size(of: a), sharing.size(of: b))
      return sizeA != sizeB ? sizeA > sizeB : a < b
    }
    var placed: [Placed] = []
    for root in roots {
      let size = sharing.size(of: root)
      let span = sharing.span(of: root)
      let neighbours = placed.filter { $0.span.overlaps(span) }
        .sorted { $0.range.lowerBound < $1.range.lowerBound }
      var start = 0
      for neighbour in neighbours {
        if start + size <= neighbour.range.lowerBound { break }
        start = max(start, neighbour.range.upperBound)
      }
      placed.append(Placed(range: start..<start + size, span: span))
      self.size = max(self.size, start + size)
      for (member, offset) in sharing.members(of: root) { starts[member] = start + offset }
    }
    self.size += Self.slack
  }
}

/// Which values lie inside which arrays.
private struct Sharing {
  let lowered: LoweredGraph
  let worksInPlace: (NodeID) -> Bool
  let liveness: Liveness
  /// The array that a value lies in, and where in it.
  private var homes: [ValueID: (root: ValueID, offset: Int)] = [:]
  private var groups: [ValueID: [ValueID]] = [:]
  /// The steps at which convolutions write over what they add to.
  private var overwritings: [ValueID: Int] = [:]
  private(set) var idleNodes: Set<NodeID> = []

  init(_ lowered: LoweredGraph, worksInPlace: @escaping (NodeID) -> Bool) {
    self.lowered = lowered
    self.worksInPlace = worksInPlace
    liveness = Liveness(lowered.graph)
    for value in lowered.graph.liveValues {
      homes[value] = (value, 0)
      groups[value] = [value]
    }
  }

  var roots: [ValueID] { groups.keys.sorted() }

  func members(of root: ValueID) -> [(ValueID, Int)] {
    (groups[root] ?? []).map { ($0, homes[$0]?.offset ?? 0) }
  }

  /// Floats of an array, rounded up to a cache line.
  func size(of root: ValueID) -> Int { (lowered.pitches(of: root).size + 15) / 16 * 16 }

  func span(of root: ValueID) -> ClosedRange<Int> {
    let spans = (groups[root] ?? []).map { liveness[$0] }
    let low = spans.map(\.lowerBound).min() ?? 0
    return low...max(low, spans.map(\.upperBound).max() ?? 0)
  }

  mutating func build() {
    // First what has to be: these convolutions cannot work otherwise.
    for (step, id) in lowered.graph.order.enumerated() { shareAddend(id, step) }
    // Then Concats: an array that is built in place saves a copy of all of it.
    for id in lowered.graph.order.reversed() {
      if case .concat(let layer) = lowered.graph[id].operation { shareConcat(id, layer.axis) }
    }
    for (step, id) in lowered.graph.order.enumerated() {
      switch lowered.graph[id].operation {
      case .slice(let layer): shareSlice(id, layer.axis)
      case .flatten, .reshape: shareView(id)
      case .batchNorm, .bias, .borderBias, .elementwise, .eltwise, .preLU, .scale, .softmax:
        shareInPlace(id, step)
      case .argMax, .batchReindex, .concat, .constant, .convolution, .crop, .deconvolution, .embed,
        .identity, .im2col, .innerProduct, .lrn, .mvn, .parameter, .pooling,
        .reduction, .repack, .silence, .spatialPyramidPooling, .split, .tile:
        break
      }
    }
  }

  /// Puts the output of a convolution that adds to its second input over this input.
  private mutating func shareAddend(_ id: NodeID, _ step: Int) {
    let node = lowered.graph[id]
    guard case .convolution(let layer) = node.operation, layer.addsToInput else { return }
    let (addend, output) = (node.inputs[1], node.outputs[0])
    precondition(
      liveness[addend].upperBound == step && node.inputs[0] != addend
        && !lowered.graph.inputs.contains(addend) && layout(addend) == layout(output),
      "the fusion of sums and the chooser see to it that an addend can be written over")
    overwritings[addend] = step
    move(addend, into: output, at: 0)
  }

  /// Whether a convolution writes over part of a value's place in an array, `offset` floats from its beginning,
  /// while the value is needed.
  private func isOverwritten(_ value: ValueID, at offset: Int, of root: ValueID) -> Bool {
    let place = offset..<offset + lowered.pitches(of: value).size
    let span = liveness[value]
    return (groups[root] ?? []).contains { other in
      guard let step = overwritings[other], let start = homes[other]?.offset,
        span.lowerBound < step, step <= span.upperBound
      else { return false }
      return place.overlaps(start..<start + lowered.pitches(of: other).size)
    }
  }

  /// Lets the inputs of a Concat lie in its output, where each of them is free to move.
  private mutating func shareConcat(_ id: NodeID, _ axis: Int) {
    let node = lowered.graph[id]
    let output = node.outputs[0]
    guard let offsets = partOffsets(of: node.inputs, in: output, axis: axis),
      let home = homes[output]
    else { return }
    var shared = 0
    for (input, offset) in zip(node.inputs, offsets) {
      // Beside the input its array may hold what it was written over.
      let isFree =
        homes[input]?.root == input && home.root != input
        && node.inputs.count { $0 == input } == 1 && !lowered.graph.isOutput(input)
        && (groups[input] ?? []).allSatisfy { member in
          (member == input || overwritings[member] != nil)
            && !lowered.graph.inputs.contains(member) && canMove(member)
            && !isOverwritten(member, at: home.offset + offset, of: home.root)
        }
      if isFree {
        move(input, into: output, at: offset)
        shared += 1
      }
    }
    if shared == node.inputs.count { idleNodes.insert(id) }
  }

  /// A producer with other outputs or of constants could be anywhere; what it writes may still move.
  private func canMove(_ value: ValueID) -> Bool {
    guard let producer = lowered.graph.producer(of: value) else { return false }
    switch lowered.graph[producer].operation {
    // These are views themselves, and follow their input.
    case .flatten, .reshape, .slice: return false
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .convolution,
      .crop, .deconvolution, .elementwise, .eltwise, .embed, .identity, .im2col, .innerProduct,
      .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .scale, .silence, .softmax,
      .spatialPyramidPooling, .split, .tile:
      return true
    }
  }

  private mutating func shareSlice(_ id: NodeID, _ axis: Int) {
    let node = lowered.graph[id]
    guard let offsets = partOffsets(of: node.outputs, in: node.inputs[0], axis: axis),
      let home = homes[node.inputs[0]],
      zip(node.outputs, offsets).allSatisfy({ output, offset in
        homes[output]?.root == output && !lowered.graph.isOutput(output)
          && !isOverwritten(output, at: home.offset + offset, of: home.root)
      })
    else { return }
    for (output, offset) in zip(node.outputs, offsets) {
      move(output, into: node.inputs[0], at: offset)
    }
    idleNodes.insert(id)
  }

  private mutating func shareView(_ id: NodeID) {
    let node = lowered.graph[id]
    let (input, output) = (node.inputs[0], node.outputs[0])
    guard layout(input) == .dense, layout(output) == .dense, homes[output]?.root == output,
      !lowered.graph.isOutput(output), let home = homes[input],
      !isOverwritten(output, at: home.offset, of: home.root)
    else { return }
    move(output, into: input, at: 0)
    idleNodes.insert(id)
  }

  private mutating func shareInPlace(_ id: NodeID, _ step: Int) {
    let node = lowered.graph[id]
    let (input, output) = (node.inputs[0], node.outputs[0])
    guard worksInPlace(id), layout(input) == layout(output),
      lowered.graph[input].shape == lowered.graph[output].shape,
      let root = homes[output]?.root, isMadeOver(output, in: root, from: step),
      let home = homes[input], !node.inputs.dropFirst().contains(input),
      !node.inputs.dropFirst().contains(where: { homes[$0]?.root == home.root })
    else { return }
    // Nobody may need the input's array afterwards, nor any other view of what is overwritten.
    let needed = (groups[home.root] ?? []).filter { liveness[$0].upperBound >= step }
    guard needed == [input], liveness[input].upperBound == step else { return }
    move(root, into: input, at: 0)
  }

  /// Whether an array holds nothing but a value that is made in a step, and what is written over it later.
  private func isMadeOver(_ value: ValueID, in root: ValueID, from step: Int) -> Bool {
    let size = lowered.pitches(of: value).size
    return (groups[root] ?? []).allSatisfy { member in
      liveness[member].lowerBound >= step && lowered.pitches(of: member).size == size
        && homes[member]?.offset == 0
    }
  }

  private func layout(_ value: ValueID) -> Layout { lowered.layouts[value] ?? .dense }

  /// Where parts along the axis of a Concat or Slice begin in the whole, if they are contiguous there.
  private func partOffsets(of parts: [ValueID], in whole: ValueID, axis declared: Int) -> [Int]? {
    let shape = lowered.graph[whole].shape
    guard let axis = try? shape.canonicalAxis(declared), shape.count(upTo: axis) == 1,
      parts.allSatisfy({ layout($0) == layout(whole) })
    else { return nil }
    // A halo surrounds planes, so parts must be whole planes.
    if layout(whole) != .dense, axis > shape.axes - 3 { return nil }
    let pitches = lowered.pitches(of: whole)
    let perIndex =
      layout(whole) == .dense
      ? shape.count(from: axis + 1)
      : shape.count(axis + 1..<shape.axes - 2) * pitches.planePitch
    var offset = 0
    return parts.map { part in
      defer { offset += lowered.graph[part].shape[axis] * perIndex }
      return offset
    }
  }

  /// Lets a value, and all that lies in it, lie in another one.
  private mutating func move(_ value: ValueID, into whole: ValueID, at offset: Int) {
    guard let home = homes[whole], let old = homes[value] else { return }
    precondition(old.root == value && home.root != value, "a value moves once, and not into itself")
    for member in groups[value] ?? [] {
      homes[member] = (home.root, home.offset + offset + (homes[member]?.offset ?? 0))
      groups[home.root]?.append(member)
    }
    groups[value] = nil
  }
}
