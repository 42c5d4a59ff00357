import IR

/// Removes channels, and whole layers, whose content reaches no output of the network.
///
/// A channel that no live weight reads needs no producer: its filter goes, with its bias and normalisation,
/// back through activations, Concat, Slice, Eltwise, pooling, LRN, Flatten and grouped convolutions, whoever
/// else reads their results. Layers none of whose channels stay are removed; layers whose needed result does
/// not depend on the input become a Constant. Inputs and outputs of the network keep their shapes.
public struct DropUnreadChannels: Pass {
  public let name = "drop-unread-channels"
  public let vocabulary: LayerVocabulary

  public init(vocabulary: LayerVocabulary = .everything) { self.vocabulary = vocabulary }

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    if let refusal = FoldingLimit.refusal(of: graph) { return refusal }
    let analysis = ConstantAnalysis(graph)
    let needs = ChannelNeeds(graph, analysis, vocabulary: vocabulary)
    var removal = ChannelRemoval(needs)
    for id in graph.order {
      do {
        try removal.visit(id)
      } catch {
        throw PassError("layer \(graph[id].name): \(error)")
      }
    }
    removal.removeDeadLayers()
    removal.removeIdleLayers()
    reportReaders(of: analysis, needs, &removal.result)
    return removal.result
  }

  /// Names the layers that keep constant channels alive because they cannot do without.
  private func reportReaders(
    of analysis: ConstantAnalysis, _ needs: ChannelNeeds, _ result: inout PassOutcome
  ) {
    let before = needs.graph
    for id in before.order {
      let node = before[id]
      guard !needs.isConstant(id),
        node.outputs.isEmpty || node.outputs.contains(where: needs.isAlive)
      else { continue }
      let outputs = node.outputs.filter(before.isOutput)
      let shown = outputs.reduce(0) { $0 + (analysis[$1]?.knownCount() ?? 0) }
      if shown > 0 {
        let what = plural(shown, "constant channel")
        result.findings.append(
          Finding(node, .kept, "\(what) of its result must stay: it is an output of the network"))
      }
      reportLevelling(id, needs, &result)
      guard let reason = reason(for: needs.flow(of: id)) else { continue }
      let read = node.inputs.reduce(0) { count, input in
        count + (analysis[input]?.knownCount { needs.isNeeded($0, of: input) } ?? 0)
      }
      guard read > 0 else { continue }
      result.findings.append(
        Finding(
          node, .kept, "\(plural(read, "constant channel")) of its input must stay: \(reason)"))
    }
  }

  /// Tells of what stays because all groups of a convolution have as many channels and filters as each other.
  private func reportLevelling(
    _ id: NodeID, _ needs: ChannelNeeds, _ result: inout PassOutcome
  ) {
    guard let layer = needs.weightedLayer(id), layer.groups > 1 else { return }
    let node = needs.graph[id]
    func idle(_ value: ValueID) -> Int {
      needs.keptChannels(of: value).count { !needs.isNeeded($0, of: value) }
    }
    let counts = [(idle(node.outputs[0]), "filter"), (idle(node.inputs[0]), "channel")]
    let what = counts.filter { $0.0 > 0 }.map { plural($0.0, $0.1) }
    guard !what.isEmpty else { return }
    result.findings.append(
      Finding(
        node, .kept,
        "\(what.joined(separator: " and ")) that nobody needs must stay, since all groups have the "
          + "same size; kernels pass over their zeros"))
  }

  /// Why a layer reads channels although they are constant; nil if it need not.
  private func reason(for flow: ChannelFlow) -> String? {
    switch flow {
    case .whole(let reason): reason
    case .neighbours:
      vocabulary == .caffe
        ? "Caffe's LRN has no gaps between channels"
        : "they differ from place to place, or somebody else reads them"
    case .together, .weighted, .concatenated, .sliced, .flattened, .constant: nil
    }
  }
}

/// Carries out what `ChannelNeeds` allows.
struct ChannelRemoval {
  let needs: ChannelNeeds
  var result: PassOutcome
  private let before: Graph
  /// Values whose content, all of it, is as it was.
  private var intact: Set<ValueID>

  init(_ needs: ChannelNeeds) {
    self.needs = needs
    before = needs.graph
    result = PassOutcome(graph: needs.graph)
    intact = Set(needs.graph.inputs)
  }

  /// Changes one layer, whose inputs were changed before; dead layers are left for later.
  mutating func visit(_ id: NodeID) throws(ShapeError) {
    let node = before[id]
    if !node.outputs.isEmpty, !node.outputs.contains(where: needs.isAlive) { return }
    if needs.isConstant(id) { return try replaceByConstant(id) }
    let isUntouched = (node.inputs + node.outputs).allSatisfy { needs.isWhole($0) }
    if isUntouched {
      if node.inputs.allSatisfy(intact.contains) {
        intact.formUnion(node.outputs)
      } else {
        for output in node.outputs { noteChannels(of: output) }
      }
      return
    }
    try shrink(id)
    for output in node.outputs where needs.isAlive(output) { noteChannels(of: output) }
  }

  /// Removes the layers that nobody reads, last ones first.
  mutating func removeDeadLayers() {
    for id in before.order.reversed() {
      let node = before[id]
      guard !node.outputs.isEmpty, !node.outputs.contains(where: needs.isAlive) else { continue }
      countRemoved(needs.weightedLayer(id), filters: 0, channels: 0)
      result.graph.remove(id)
      result.findings.append(Finding(node, .removed, "nobody reads its result any more"))
    }
  }

  /// Removes what became idle: a Slice into one part, a Concat of one input, a BorderBias of zeros.
  mutating func removeIdleLayers() {
    for id in result.graph.order {
      let node = result.graph[id]
      switch node.operation {
      case .slice(let layer): guard layer.parts == 1 else { continue }
      case .concat: guard node.inputs.count == 1 else { continue }
      case .borderBias(let layer):
        guard layer.activation == nil, node.parameters[0].nonzeroCount == 0 else { continue }
      case .argMax, .batchNorm, .batchReindex, .bias, .constant, .convolution, .crop,
        .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct,
        .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence,
        .softmax, .spatialPyramidPooling, .split, .tile:
        continue
      }
      guard result.graph.bypass(id) else { continue }
      result.findings.append(Finding(node, .removed, "it only passes its input on"))
    }
  }

  // MARK: Steps

  private mutating func replaceByConstant(_ id: NodeID) throws(ShapeError) {
    let node = before[id]
    let output = node.outputs[0]
    guard let known = needs.analysis[output], let source = before.itemSource(of: id) else {
      preconditionFailure("a layer is constant only if its result is known")
    }
    let kept = needs.keptChannels(of: output)
    var extents = Array(before[output].shape.extents.dropFirst())
    let item = Tensor(shape: try Shape(extents), values: known.item())
    extents[0] = kept.count
    countRemoved(needs.weightedLayer(id), filters: 0, channels: 0)
    try result.graph.reshape(
      id, to: .constant(Constant(extents: extents)), inputs: [source],
      parameters: [item.selecting(kept, along: 0)], keptOutputs: [0])
    noteChannels(of: output)
    result.findings.append(
      Finding(node, .changed, "its result does not depend on the input: it became a constant"))
  }

  private mutating func shrink(_ id: NodeID) throws(ShapeError) {
    let node = before[id]
    let keptInputs = node.inputs.map { needs.keptChannels(of: $0) }
    let keptOutputs = node.outputs.indices.filter { needs.isAlive(node.outputs[$0]) }
    let channels = keptOutputs.map { needs.keptChannels(of: node.outputs[$0]) }
    let form = try ShrunkLayer(
      id, needs, keptInputs: keptInputs, keptOutputs: channels)
    let inputs = node.inputs.filter { !form.dropsDeadInputs || needs.isAlive($0) }
    try result.graph.reshape(
      id, to: form.operation, inputs: inputs, parameters: form.parameters, keptOutputs: keptOutputs)
    guard let layer = needs.weightedLayer(id) else { return }
    countRemoved(layer, filters: channels[0].count, channels: keptInputs[0].count)
    let lost = [
      (layer.filters - channels[0].count, "filter", layer.filters),
      (layer.channels - keptInputs[0].count, "channel", layer.channels),
    ].filter { $0.0 > 0 }.map { "\($0.0) of \(plural($0.2, $0.1))" }
    if !lost.isEmpty {
      result.findings.append(
        Finding(node, .changed, "it lost \(lost.joined(separator: " and ")), which nobody reads"))
    }
  }

  private mutating func countRemoved(_ layer: WeightedLayer?, filters: Int, channels: Int) {
    guard let layer else { return }
    result.filters += layer.filters - filters
    result.channels += layer.channels - channels
  }

  /// Writes down which of the file's channels a value still has.
  private mutating func noteChannels(of value: ValueID) {
    let kept = needs.keptChannels(of: value)
    let shape = before[value].shape
    guard shape.axes >= 2 else {
      intact.insert(value)
      return
    }
    let isRight = kept.allSatisfy { needs.isNeeded($0, of: value) }
    if needs.isWhole(value), isRight {
      intact.insert(value)
      return
    }
    let names = before[value].channels ?? (0..<shape[1]).map { $0 }
    result.graph.setChannels(
      kept.map { needs.isNeeded($0, of: value) ? names[$0] : nil }, of: value)
  }
}
