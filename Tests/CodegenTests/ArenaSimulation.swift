import Codegen
import IR

/// Runs a network's schedule in an arena that holds names of contents instead of numbers.
///
/// Every element of every value has a content: a fresh one, or that of the element which it is a copy of
/// (Concat, Slice, Flatten, Reshape). A step finds the contents of its inputs where their layouts say,
/// or the plan has let somebody write over them. Zeros around planes are a content of their own.
struct ArenaSimulation {
  private let lowered: LoweredGraph
  private let plan: MemoryPlan
  private let worksInPlace: (NodeID) -> Bool
  private var arena: [Int]
  private var contents: [ValueID: [Int]] = [:]
  private var lastContent = 0
  /// What went wrong, in words.
  private(set) var failures: [String] = []

  /// The content of the zeros of a halo.
  private static let zero = -1
  /// What nobody has written.
  private static let nothing = -2

  init(_ lowered: LoweredGraph, _ plan: MemoryPlan, worksInPlace: @escaping (NodeID) -> Bool) {
    self.lowered = lowered
    self.plan = plan
    self.worksInPlace = worksInPlace
    arena = [Int](repeating: Self.nothing, count: plan.size)
  }

  /// All steps, then a look at the results.
  mutating func run() {
    for input in lowered.graph.inputs {
      contents[input] = fresh(input)
      write(input)
    }
    for id in lowered.graph.order { step(id) }
    for output in lowered.graph.outputs { check(output, "in the end") }
  }

  private mutating func step(_ id: NodeID) {
    let node = lowered.graph[id]
    for input in node.inputs { check(input, "when \(node.name) reads it") }
    let made = copiedContents(of: node)
    for (index, output) in node.outputs.enumerated() {
      contents[output] = made.map { $0[index] } ?? fresh(output)
    }
    if plan.idleNodes.contains(id) {
      for output in node.outputs { check(output, "after \(node.name), which does nothing") }
      return
    }
    if node.addsToInput,
      places(of: node.inputs[1]).elements != places(of: node.outputs[0]).elements
    {
      failures.append("\(node.name) does not find in its output what it adds to")
    }
    for output in node.outputs {
      checkOverwriting(node, output, mayOverwriteFirst: worksInPlace(id), copies: made != nil)
    }
    for output in node.outputs { write(output) }
    for output in node.outputs { check(output, "after \(node.name)") }
  }

  /// While a step runs, its inputs are still needed: it may write over the first one only, element over
  /// element, a convolution over what it adds to, and a copy may write what is there already.
  private mutating func checkOverwriting(
    _ node: Node, _ output: ValueID, mayOverwriteFirst: Bool, copies: Bool
  ) {
    let target = places(of: output)
    let taken = Set(target.elements + target.zeros)
    for (index, input) in node.inputs.enumerated() {
      let source = places(of: input)
      guard !taken.isDisjoint(with: source.elements + source.zeros) else { continue }
      if index == 0, mayOverwriteFirst, source.elements == target.elements { continue }
      if index == 1, node.addsToInput, source.elements == target.elements { continue }
      if copies, isPart(input, of: output) { continue }
      failures.append("\(node.name) writes \(name(output)) over its input \(name(input))")
    }
  }

  /// Whether each element of `part` lies where the element of `whole` with the same content lies.
  private func isPart(_ part: ValueID, of whole: ValueID) -> Bool {
    guard let parts = contents[part], let wholes = contents[whole] else { return false }
    let places = Dictionary(
      zip(wholes, places(of: whole).elements), uniquingKeysWith: { first, _ in first })
    return zip(parts, self.places(of: part).elements).allSatisfy { places[$0] == $1 }
  }

  private mutating func check(_ value: ValueID, _ when: String) {
    guard let expected = contents[value] else {
      failures.append("\(name(value)) is read before it is made")
      return
    }
    let places = places(of: value)
    let wrong = zip(places.elements, expected).count { arena[$0] != $1 }
    if wrong > 0 { failures.append("\(wrong) elements of \(name(value)) are gone \(when)") }
    let dirty = places.zeros.count { arena[$0] != Self.zero }
    if dirty > 0 { failures.append("\(dirty) zeros of \(name(value)) are gone \(when)") }
  }

  private mutating func write(_ value: ValueID) {
    let places = places(of: value)
    for place in places.elements + places.zeros
    where place < 0 || place >= plan.size - MemoryPlan.slack {
      failures.append("\(name(value)) lies outside of the arena")
      return
    }
    for (place, content) in zip(places.elements, contents[value] ?? []) { arena[place] = content }
    for place in places.zeros { arena[place] = Self.zero }
  }

  private mutating func fresh(_ value: ValueID) -> [Int] {
    let count = places(of: value).elements.count
    defer { lastContent += count }
    return (lastContent..<lastContent + count).map { $0 }
  }

  private func name(_ value: ValueID) -> String { "%\(value.index) \(lowered.graph[value].name)" }

  // MARK: Places

  /// Addresses of the elements in row-major order, and of the zeros around planes.
  private func places(of value: ValueID) -> (elements: [Int], zeros: [Int]) {
    guard let start = plan.starts[value] else { return ([], []) }
    let pitches = lowered.pitches(of: value)
    var halo = Halo.none
    switch lowered.layouts[value] ?? .dense {
    case .dense: break
    case .planes(let asked): halo = asked
    case .phases: return (Array(start..<start + pitches.size), [])
    }
    var elements: [Int] = []
    var zeros: [Int] = []
    for plane in 0..<pitches.planes {
      for row in -halo.top..<pitches.height + halo.bottom {
        let place = start + pitches.origin + plane * pitches.planePitch + row * pitches.rowPitch
        let isImage = row >= 0 && row < pitches.height
        zeros += place - halo.gap..<place
        if isImage { elements += place..<place + pitches.width }
        zeros += (isImage ? place + pitches.width : place)..<place + pitches.width + halo.gap
      }
    }
    return (elements, zeros)
  }

  // MARK: Copies

  /// The contents of the outputs of a layer that only moves values; nil of one that computes.
  private func copiedContents(of node: Node) -> [[Int]]? {
    switch node.operation {
    case .concat(let layer): return [joined(node, layer.axis)]
    case .slice(let layer): return parts(node, layer.axis)
    case .flatten, .reshape: return [contents[node.inputs[0]] ?? []]
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .constant, .convolution, .crop,
      .deconvolution, .elementwise, .eltwise, .embed, .identity, .im2col, .innerProduct, .lrn,
      .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .scale, .silence, .softmax,
      .spatialPyramidPooling, .split, .tile:
      return nil
    }
  }

  private func joined(_ node: Node, _ axis: Int) -> [Int] {
    let shape = lowered.graph[node.outputs[0]].shape
    let along = axis < 0 ? axis + shape.axes : axis
    return (0..<shape.count(upTo: along)).flatMap { outer in
      node.inputs.flatMap { input -> ArraySlice<Int> in
        let run = lowered.graph[input].shape.count(from: along)
        return (contents[input] ?? [])[outer * run..<(outer + 1) * run]
      }
    }
  }

  private func parts(_ node: Node, _ axis: Int) -> [[Int]] {
    let whole = lowered.graph[node.inputs[0]].shape
    let along = axis < 0 ? axis + whole.axes : axis
    let pitch = whole.count(from: along)
    var begin = 0
    return node.outputs.map { output in
      let run = lowered.graph[output].shape.count(from: along)
      defer { begin += run }
      return (0..<whole.count(upTo: along)).flatMap { outer in
        (contents[node.inputs[0]] ?? [])[outer * pitch + begin..<outer * pitch + begin + run]
      }
    }
  }
}

extension Node {
  /// Whether it is a convolution that adds to its second input.
  var addsToInput: Bool {
    if case .convolution(let layer) = operation { return layer.addsToInput }
    return false
  }
}
