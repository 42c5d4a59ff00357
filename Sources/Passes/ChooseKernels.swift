import IR

/// Whoever knows kernels: asked for candidates, never for how they work.
public protocol KernelSource {
  /// All kernels for the node's type of layer, in the catalog's order; at least one fits.
  func candidates(for node: NodeID, in graph: Graph) -> [KernelCandidate]

  /// The share of zeros, scattered over the node's weights, from which on a sparse kernel is predicted to be
  /// faster than the dense one; nil where there is no such choice.
  func breakEvenSparsity(of node: NodeID, in graph: Graph) -> Double?

  /// The seconds that copying a value into another layout is predicted to take.
  func copySeconds(of value: ValueID, in graph: Graph) -> Double
}

extension KernelSource {
  public func breakEvenSparsity(of node: NodeID, in graph: Graph) -> Double? { nil }
  public func copySeconds(of value: ValueID, in graph: Graph) -> Double { 0 }
}

/// Where the weights of sparse layers stand.
public enum WeightForm: String, CaseIterable, Sendable {
  /// As data that kernels stream.
  case streamed
  /// Their pattern as straight-line code, wherever a kernel can have it so.
  case hardCoded = "hard-coded"
  /// Whichever is predicted to be faster, layer by layer.
  case auto
}

/// Gives every node a kernel and every value a layout.
///
/// Kernels and layouts meet here: each candidate says which layouts it reads and can write. The search is local:
/// the cheapest kernel per layer, per family of values that should share memory (see `LayoutFamilies`) the
/// smallest layout that serves all readers, and a copy wherever one does not; then layers beside copies change
/// their kernel as long as the whole network is predicted to gain by it.
public struct ChooseKernels {
  public let source: any KernelSource
  /// Layer name to kernel name: the user's wishes.
  public var forced: [String: String]
  public var weightForm: WeightForm
  /// Bytes of straight-line code that a network may have: what the second- and third-level caches can feed to
  /// the instruction decoder.
  public var codeBudget: Int

  public init(
    source: any KernelSource, forced: [String: String] = [:], weightForm: WeightForm = .auto,
    codeBudget: Int = 4 << 20
  ) {
    self.source = source
    self.forced = forced
    self.weightForm = weightForm
    self.codeBudget = codeBudget
  }

  /// Throws a diagnostic if a wish names no layer, no kernel, or a kernel that cannot do the layer.
  public func run(_ graph: Graph) throws(Diagnostic) -> LoweredGraph {
    try checkWishes(in: graph)
    var lowered = LoweredGraph(graph: graph, kernels: [:], layouts: [:])
    for id in graph.order { lowered.kernels[id] = try choose(id, in: graph) }
    keepCodeInBudget(&lowered)
    lowered.layouts = LayoutFamilies(lowered).layouts()
    avoidCopies(in: &lowered)
    try insertRepacks(into: &lowered)
    return lowered
  }

  private func checkWishes(in graph: Graph) throws(Diagnostic) {
    let names = Set(graph.order.map { graph[$0].name })
    for layer in forced.keys.sorted() where !names.contains(layer) {
      throw .error("--kernel \(layer)=\(forced[layer] ?? ""): no layer of this name is compiled")
    }
  }

  private func choose(_ id: NodeID, in graph: Graph) throws(Diagnostic) -> KernelChoice {
    let candidates = source.candidates(for: id, in: graph)
    let node = graph[id]
    // A Repack bears its reader's name, but the wish is the reader's.
    let wish: String? = if case .repack = node.operation { nil } else { forced[node.name] }
    if let wish {
      guard let wished = candidates.first(where: { $0.kernel == wish }) else {
        let names = candidates.map(\.kernel).joined(separator: ", ")
        throw .error(
          "--kernel \(node.name)=\(wish): no such kernel for a \(node.sourceType) layer; "
            + "there are \(names)")
      }
      switch wished.fit {
      case .fits(let cost):
        return KernelChoice(
          kernel: wish, reason: "asked for by --kernel", predictedCost: cost,
          candidates: candidates)
      case .declines(let reason):
        throw .error("--kernel \(node.name)=\(wish) is impossible: \(reason)")
      }
    }
    guard let best = best(of: candidates), let cost = best.cost else {
      let reasons = candidates.map { candidate in
        if case .declines(let reason) = candidate.fit { return "\(candidate.kernel): \(reason)" }
        return candidate.kernel
      }
      throw .error(
        "layer \(node.name) (\(node.sourceType)): no kernel can do it"
          + (reasons.isEmpty ? "" : "; " + reasons.joined(separator: "; ")), at: node.location)
    }
    var choice = KernelChoice(
      kernel: best.kernel, reason: best.reason, predictedCost: cost, candidates: candidates)
    choice.breakEvenSparsity = source.breakEvenSparsity(of: id, in: graph)
    return choice
  }

  /// How much slower a kernel may be predicted to be that the user's file hints at: less than predictions err.
  static let hintAllowance = 1.15

  /// Those of the wished form of weights; and where some were measured only these, since predictions are not
  /// compared with measurements.
  func eligible(_ candidates: [KernelCandidate]) -> [KernelCandidate] {
    let fitting = candidates.filter { $0.cost != nil }
    let wished =
      switch weightForm {
      case .auto: fitting
      case .streamed: fitting.filter { $0.codeBytes == 0 }
      case .hardCoded: fitting.filter { $0.codeBytes > 0 }
      }
    let allowed = wished.isEmpty ? fitting : wished
    let measured = allowed.filter { $0.measuredCost != nil }
    return measured.isEmpty ? allowed : measured
  }

  /// The cheapest eligible candidate, or one about as cheap that the file hints at.
  private func best(of candidates: [KernelCandidate]) -> KernelCandidate? {
    let known = eligible(candidates)
    func cheapest(_ candidates: [KernelCandidate]) -> KernelCandidate? {
      candidates.min { ($0.decidingCost ?? 0) < ($1.decidingCost ?? 0) }
    }
    // A measurement needs no hint.
    if known.allSatisfy({ $0.measuredCost == nil }), let best = cheapest(known)?.cost,
      let hinted = cheapest(known.filter(\.isHinted)), let cost = hinted.cost,
      cost <= best * Self.hintAllowance
    {
      return hinted
    }
    return cheapest(known)
  }

  /// Takes straight-line code away from the layers that gain least by it, byte for byte, until the network's
  /// budget is kept. Layers whose kernel the user named keep it.
  private func keepCodeInBudget(_ lowered: inout LoweredGraph) {
    struct Use {
      var node: NodeID
      var bytes: Int
      var other: KernelCandidate
      var saving: Double
    }
    var total = 0
    var uses: [Use] = []
    for id in lowered.graph.order {
      guard let chosen = lowered.chosen(id), chosen.codeBytes > 0, let cost = chosen.decidingCost
      else {
        continue
      }
      total += chosen.codeBytes
      let others = lowered.kernels[id]?.candidates.filter { $0.codeBytes == 0 && $0.cost != nil }
      guard forced[lowered.graph[id].name] == nil,
        let other = others?.min(by: { ($0.decidingCost ?? 0) < ($1.decidingCost ?? 0) }),
        let slower = other.decidingCost
      else { continue }
      uses.append(
        Use(
          node: id, bytes: chosen.codeBytes, other: other,
          saving: (slower - cost) / Double(chosen.codeBytes)))
    }
    for use in uses.sorted(by: { ($0.saving, $0.node) < ($1.saving, $1.node) })
    where total > codeBudget {
      total -= use.bytes
      lowered.kernels[use.node]?.kernel = use.other.kernel
      lowered.kernels[use.node]?.predictedCost = use.other.cost ?? 0
      lowered.kernels[use.node]?.reason =
        use.other.reason + "; straight-line code would be faster, but exceed the network's "
        + "\(codeBudget >> 20) MB of it"
    }
  }

  /// Puts a Repack before every reader that cannot read the layout of its input; readers that need the same
  /// layout of the same value share one.
  private func insertRepacks(into lowered: inout LoweredGraph) throws(Diagnostic) {
    var made: [LayoutCopy: ValueID] = [:]
    for id in lowered.graph.order {
      for (index, copy) in lowered.copies(before: id) {
        let replacement: ValueID
        if let existing = made[copy] {
          replacement = existing
        } else {
          replacement = try addRepack(of: copy.value, as: copy.layout, before: id, to: &lowered)
          made[copy] = replacement
        }
        lowered.graph.update(id) { $0.inputs[index] = replacement }
      }
    }
  }

  private func addRepack(
    of value: ValueID, as layout: Layout, before reader: NodeID, to lowered: inout LoweredGraph
  ) throws(Diagnostic) -> ValueID {
    // It bears its first reader's name, to whose time it belongs.
    let name = lowered.graph[reader].name
    let blob = lowered.graph[value].name
    let repack: NodeID
    do {
      repack = try lowered.graph.insert(
        before: reader, .repack(Repack()), name: name, inputs: [value], outputNames: [blob])
    } catch {
      preconditionFailure("a copy has the shape of its original: \(error)")
    }
    let output = lowered.graph[repack].outputs[0]
    lowered.layouts[output] = layout
    lowered.kernels[repack] = try choose(repack, in: lowered.graph)
    return output
  }
}

extension LoweredGraph {
  /// The candidate that won at a node.
  func chosen(_ node: NodeID) -> KernelCandidate? {
    guard let choice = kernels[node] else { return nil }
    return choice.candidates.first { $0.kernel == choice.kernel }
  }
}
