import IR

/// Folds what constant channels contribute to a layer into its bias, and stops reading them.
///
/// A zero filter is not a zero channel: its bias is left, or what an activation or normalisation makes of it.
/// A constant c in a channel adds c * sum(weights) to every filter that reads it. Behind zero padding the taps
/// over the padding are missing from that sum, so that the addition differs from the border to the middle:
/// then the middle goes to the bias and the difference to a BorderBias, one number per filter and class of
/// border position. The weights for the channel become zero, and `DropUnreadChannels` removes it unless
/// somebody else reads it.
public struct FoldConstantChannels: Pass {
  public let name = "fold-constant-channels"
  public let vocabulary: LayerVocabulary

  public init(vocabulary: LayerVocabulary = .everything) { self.vocabulary = vocabulary }

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    if let refusal = FoldingLimit.refusal(of: graph) { return refusal }
    let analysis = ConstantAnalysis(graph)
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      guard let layer = WeightedLayer(graph[id], in: graph),
        let known = analysis[graph[id].inputs[0]],
        // A result that is known as a whole needs no layer at all.
        !(analysis[graph[id].outputs[0]]?.isComplete ?? false)
      else { continue }
      let fold = ChannelFold(
        layer, reading: known, output: graph[graph[id].outputs[0]].shape,
        correctsBorders: vocabulary == .everything)
      guard let fold else {
        result.findings.append(
          Finding(graph[id], .kept, "its window is too large to look for constant channels in"))
        continue
      }
      if !fold.refused.isEmpty {
        result.findings.append(
          Finding(
            graph[id], .kept,
            "it goes on reading \(plural(fold.refused.count, "constant channel")): zero padding "
              + "makes their share differ at the border, which no layer of Caffe expresses"))
      }
      guard !fold.channels.isEmpty else { continue }
      do {
        try apply(fold, to: id, in: &result)
      } catch {
        throw PassError("layer \(graph[id].name): \(error)")
      }
    }
    return result
  }

  private func apply(_ fold: ChannelFold, to id: NodeID, in result: inout PassOutcome)
    throws(ShapeError)
  {
    let node = result.graph[id]
    let border = fold.borderBias
    let needsBias = node.parameters.count > 1 || fold.bias.nonzeroCount > 0
    result.graph.update(id) { node in
      node.parameters = [fold.weights] + (needsBias ? [fold.bias] : [])
      node.operation = node.operation.with(bias: needsBias, keepsActivation: border == nil)
    }
    var what =
      "\(plural(fold.channels.count, "constant channel")) of its input became part of its bias"
    if let border {
      let operation = BorderBias(
        classes: border.positions.axes, activation: node.operation.fusedActivation)
      try result.graph.insert(
        behind: id, .borderBias(operation), name: "\(node.name)/border", sourceType: "BorderBias",
        parameters: [border.table])
      what +=
        ", with a correction for \(plural(border.positions.count, "class", "classes")) of positions"
    }
    result.findings.append(Finding(node, .changed, what))
  }
}

/// What becomes of a layer's weights and bias when it no longer reads its constant channels.
private struct ChannelFold {
  /// The channels that are folded.
  private(set) var channels: [Int] = []
  /// Constant channels that it goes on reading, for want of a layer that could correct the border.
  private(set) var refused: [Int] = []
  private(set) var weights: Tensor
  private(set) var bias: Tensor
  /// What the bias lacks by class of position; nil if nothing.
  private(set) var borderBias: (positions: PositionClasses, table: Tensor)?

  /// nil if the layer's window is too large to look through.
  init?(
    _ layer: WeightedLayer, reading known: KnownChannels, output: Shape, correctsBorders: Bool
  ) {
    guard let (positions, underTaps) = layer.view(over: known.positions, output: output) else {
      return nil
    }
    weights = layer.weights
    bias = layer.bias ?? Tensor(shape: .vector(layer.filters), repeating: 0)
    var sums = bias.values.map { [Double](repeating: Double($0), count: positions.count) }
    for channel in 0..<layer.channels {
      guard let content = known.channels[channel] else { continue }
      let group = layer.filters(of: channel / layer.channelsPerGroup)
      let readers = group.filter { layer.reads(filter: $0, channel: channel) }
      guard !readers.isEmpty else { continue }
      // A channel of zeros adds nothing anywhere.
      if content.contains(where: { $0 != 0 }) {
        let shares = readers.map { filter in
          var share = [Double](repeating: 0, count: positions.count)
          layer.add(content, of: channel, to: filter, underTaps: underTaps, &share)
          return share
        }
        let isEven = shares.allSatisfy { share in share.allSatisfy { $0 == share[0] } }
        guard correctsBorders || isEven else {
          refused.append(channel)
          continue
        }
        for (filter, share) in zip(readers, shares) {
          for place in share.indices { sums[filter][place] += share[place] }
        }
      }
      channels.append(channel)
    }
    guard !channels.isEmpty else { return }
    weights = layer.clearing(channels)
    let middle = positions.largest
    bias = Tensor(shape: bias.shape, values: sums.map { Float($0[middle]) })
    correct(sums, positions)
  }

  /// What is missing behind the rounded bias.
  private mutating func correct(_ sums: [[Double]], _ positions: PositionClasses) {
    let middle = positions.largest
    let table = zip(sums, bias.values).map { sums, bias in
      // In the middle only the rounding of the bias is missing, as it is from every bias.
      sums.map { $0 == sums[middle] ? 0 : Float($0 - Double(bias)) }
    }
    guard table.contains(where: { $0.contains { $0 != 0 } }) else { return }
    let (merged, here) = positions.merged(where: table)
    guard let shape = try? Shape([table.count] + merged.counts) else {
      preconditionFailure("there is a class of positions")
    }
    borderBias = (
      merged,
      Tensor(shape: shape, values: table.flatMap { row in here.map { row[$0] } })
    )
  }
}

extension WeightedLayer {
  /// The weights with those for some channels set to zero.
  fileprivate func clearing(_ cleared: [Int]) -> Tensor {
    var values = weights.values
    for channel in cleared {
      for filter in filters(of: channel / channelsPerGroup) {
        let first = start(filter: filter, channel: channel)
        for tap in 0..<taps { values[first + tap * tapStep] = 0 }
      }
    }
    return Tensor(shape: weights.shape, values: values)
  }
}

extension Operation {
  /// A weighted layer with a bias or without, and with its activation or without.
  fileprivate func with(bias: Bool, keepsActivation: Bool) -> Operation {
    switch self {
    case .convolution(var layer):
      layer.hasBias = bias
      if !keepsActivation { layer.activation = nil }
      return .convolution(layer)
    case .deconvolution(var layer):
      layer.hasBias = bias
      return .deconvolution(layer)
    case .innerProduct(var layer):
      layer.hasBias = bias
      if !keepsActivation { layer.activation = nil }
      return .innerProduct(layer)
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .crop,
      .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn, .parameter,
      .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice, .softmax,
      .spatialPyramidPooling, .split, .tile:
      preconditionFailure("only weighted layers are folded into")
    }
  }

  /// The activation that a weighted layer applies itself.
  fileprivate var fusedActivation: ElementwiseFunction? {
    switch self {
    case .convolution(let layer): layer.activation
    case .innerProduct(let layer): layer.activation
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .crop,
      .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn,
      .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      nil
    }
  }
}

/// "1 filter", "3 filters".
func plural(_ count: Int, _ one: String, _ many: String? = nil) -> String {
  count == 1 ? "1 \(one)" : "\(count) \(many ?? one + "s")"
}
