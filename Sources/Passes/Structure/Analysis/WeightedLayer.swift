import IR

/// One view of the layers that multiply channels by weights: Convolution, Deconvolution, InnerProduct.
///
/// Filter f reads the channels of its group; between a filter and a channel lie `taps` weights. The channels
/// are those of axis 1, the filters those of axis 1 of the output.
struct WeightedLayer {
  let groups: Int
  let filters: Int
  let channels: Int
  /// Weights between a filter and a channel.
  let taps: Int
  let weights: Tensor
  /// One number per filter; nil if the layer has no bias.
  let bias: Tensor?
  /// Applied to the result by the layer itself.
  let activation: ElementwiseFunction?
  /// The distance between two taps of a filter and channel in the weights.
  let tapStep: Int
  private let form: Form

  private enum Form {
    /// Weights [filters, channels / groups, taps].
    case convolution(Window)
    /// The same, a tap being a point: which outputs it serves depends on their place in a tile.
    case winograd
    /// Weights [channels, filters / groups, taps].
    case deconvolution(Window)
    /// Weights [filters, channels * taps].
    case innerProduct
    /// Weights [channels * taps, filters].
    case transposedInnerProduct
  }

  /// The view of a node; nil if it is of another kind or works along other axes.
  init?(_ node: Node, in graph: Graph) {
    guard let input = node.inputs.first.map({ graph[$0].shape }), input.axes >= 2 else {
      return nil
    }
    func isChannelAxis(_ axis: Int) -> Bool { axis == 1 || axis + input.axes == 1 }
    channels = input[1]
    weights = node.parameters.first ?? Tensor(shape: .scalar, values: [0])
    bias = node.parameters.count > 1 ? node.parameters[1] : nil
    switch node.operation {
    case .convolution(let layer):
      // A sum with another value is more than weights.
      guard isChannelAxis(layer.axis), !layer.addsToInput else { return nil }
      (groups, filters, taps) = (layer.groups, layer.filters, layer.weightsPerChannel)
      activation = layer.activation
      tapStep = 1
      form = layer.isInWinogradDomain ? .winograd : .convolution(layer.window)
    case .deconvolution(let layer):
      guard isChannelAxis(layer.axis) else { return nil }
      (groups, filters, taps) = (layer.groups, layer.filters, layer.window.taps)
      activation = nil
      tapStep = 1
      form = .deconvolution(layer.window)
    case .innerProduct(let layer):
      guard isChannelAxis(layer.axis) else { return nil }
      (groups, filters, taps) = (1, layer.outputs, input.count(from: 2))
      activation = layer.activation
      tapStep = layer.isTransposed ? layer.outputs : 1
      form = layer.isTransposed ? .transposedInnerProduct : .innerProduct
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .crop,
      .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn, .parameter,
      .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice, .softmax,
      .spatialPyramidPooling, .split, .tile:
      return nil
    }
  }

  var filtersPerGroup: Int { filters / groups }
  var channelsPerGroup: Int { channels / groups }

  /// The filters of a group.
  func filters(of group: Int) -> Range<Int> {
    group * filtersPerGroup..<(group + 1) * filtersPerGroup
  }

  /// The channels of a group.
  func channels(of group: Int) -> Range<Int> {
    group * channelsPerGroup..<(group + 1) * channelsPerGroup
  }

  /// The channels that a filter can read.
  func channels(readBy filter: Int) -> Range<Int> { channels(of: filter / filtersPerGroup) }

  /// The place of the first weight between a filter and a channel of its group.
  func start(filter: Int, channel: Int) -> Int {
    switch form {
    case .convolution, .winograd:
      (filter * channelsPerGroup + channel % channelsPerGroup) * taps
    case .deconvolution: (channel * filtersPerGroup + filter % filtersPerGroup) * taps
    case .innerProduct: (filter * channels + channel) * taps
    case .transposedInnerProduct: channel * taps * filters + filter
    }
  }

  /// Whether a filter has a weight other than zero for a channel of its group.
  func reads(filter: Int, channel: Int) -> Bool {
    let first = start(filter: filter, channel: channel)
    return weights.values.withUnsafeBufferPointer { weights in
      for tap in 0..<taps where weights[first + tap * tapStep] != 0 { return true }
      return false
    }
  }

  /// Which classes of output positions there are for constant channels in `classes` of input positions, and
  /// for each the class under every tap, nil where the tap meets nothing. No view of a window that is too large
  /// to look through, nor in the Winograd domain.
  func view(over classes: PositionClasses, output: Shape) -> (PositionClasses, [[Int?]])? {
    let extents = Array(output.extents.dropFirst(2))
    switch form {
    case .convolution(let window):
      return WindowView(window, over: classes, extents: extents)
        .map { ($0.positions, $0.classesUnderTaps()) }
    case .winograd: return nil
    case .deconvolution(let window):
      return WindowView(transposed: window, over: classes, extents: extents)
        .map { ($0.positions, $0.classesUnderTaps()) }
    case .innerProduct, .transposedInnerProduct:
      return (PositionClasses(uniform: output), [classes.classOfPosition])
    }
  }

  /// Adds to `sums`, which has one number per class of output positions, what a constant channel contributes
  /// to a filter. `underTaps` as `view(over:output:)` has it.
  func add(
    _ content: [Float], of channel: Int, to filter: Int, underTaps: [[Int?]],
    _ sums: inout [Double]
  ) {
    let first = start(filter: filter, channel: channel)
    weights.values.withUnsafeBufferPointer { weights in
      for (place, classes) in underTaps.enumerated() {
        var sum = sums[place]
        for (tap, number) in classes.enumerated() {
          guard let number else { continue }
          sum += Double(weights[first + tap * tapStep]) * Double(content[number])
        }
        sums[place] = sum
      }
    }
  }

  /// The filters that depend on known channels only, with their content; nil if there is none.
  func knownFilters(reading input: KnownChannels?, inputShape: Shape, output: Shape)
    -> KnownChannels?
  {
    let known = (0..<filters).map { filter in
      channels(readBy: filter).allSatisfy { channel in
        (input?.channels[channel] != nil && canAddUp) || !reads(filter: filter, channel: channel)
      }
    }
    guard known.contains(true) else { return nil }
    let classes = input?.positions ?? PositionClasses(uniform: inputShape)
    // Where nothing can be added up the known filters read nothing, and are their bias everywhere.
    let views =
      canAddUp ? view(over: classes, output: output) : (PositionClasses(uniform: output), [[]])
    guard let (positions, underTaps) = views else { return nil }
    // The evaluator begins with the bias, but adds that of an inner product in the end.
    let biasComesLast = underTaps.count == 1 && tapsArePositions
    let contents = (0..<filters).map { filter -> [Float]? in
      guard known[filter] else { return nil }
      let bias = Double(self.bias?.values[filter] ?? 0)
      var sums = [Double](repeating: biasComesLast ? 0 : bias, count: positions.count)
      for channel in channels(readBy: filter) {
        guard let content = input?.channels[channel], reads(filter: filter, channel: channel)
        else { continue }
        add(content, of: channel, to: filter, underTaps: underTaps, &sums)
      }
      return sums.map { sum in
        let rounded = Float(biasComesLast ? sum + bias : sum)
        return activation.map { $0.value(at: rounded) } ?? rounded
      }
    }
    return KnownChannels(positions: positions, channels: contents)
  }

  /// Whether `view(over:output:)` can say what constant channels contribute.
  private var canAddUp: Bool {
    if case .winograd = form { false } else { true }
  }

  private var tapsArePositions: Bool {
    switch form {
    case .convolution, .deconvolution, .winograd: false
    case .innerProduct, .transposedInnerProduct: true
    }
  }
}
