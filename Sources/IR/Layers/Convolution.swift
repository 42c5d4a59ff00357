/// Cross-correlation of the input with learned filters, per group of channels.
///
/// Input: axes before `axis` are independent images, `axis` is the channel axis, the rest is spatial.
/// Weights: [filters, channels / groups, kernel...]; bias: [filters]. A second input, if it has one, is added to
/// the result before the activation.
///
/// In the Winograd domain the weights are [filters, channels / groups, M, M], M = kernel + 3, and need not come from any
/// kernel: tile by tile of 4x4 outputs, counted from the output's first row and column, the result is
/// `WinogradDomain`'s.
public struct Convolution: Layer {
  /// The number of filters, which is the number of output channels.
  public var filters: Int
  public var window: Window
  public var groups: Int
  /// The channel axis; may count from the end.
  public var axis: Int
  public var hasBias: Bool
  /// Applied to the result by the same kernel; set by the fusion pass.
  public var activation: ElementwiseFunction?
  /// Whether its result is added to a second input of the same shape, which it writes over; set by the fusion
  /// pass, which makes sure that nobody else needs that input any more.
  public var addsToInput: Bool
  /// Whether the weights were trained in the Winograd domain (SkimCaffe's layer type `Winograd`); only for square kernels
  /// of 3 or 5 with stride and dilation 1 over the last two of four axes.
  public var isInWinogradDomain: Bool

  public init(
    filters: Int, window: Window, groups: Int = 1, axis: Int = 1, hasBias: Bool = true,
    activation: ElementwiseFunction? = nil, addsToInput: Bool = false,
    isInWinogradDomain: Bool = false
  ) {
    self.filters = filters
    self.window = window
    self.groups = groups
    self.axis = axis
    self.hasBias = hasBias
    self.activation = activation
    self.addsToInput = addsToInput
    self.isInWinogradDomain = isInWinogradDomain
  }

  public var typeName: String { isInWinogradDomain ? WinogradDomain.layerType : "Convolution" }

  /// Weights between a filter and a channel.
  public var weightsPerChannel: Int {
    guard isInWinogradDomain else { return window.taps }
    let points = WinogradDomain.points(kernel: window.kernel[0])
    return points * points
  }
  public var inputCounts: ClosedRange<Int> { addsToInput ? 2...2 : 1...1 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let channelAxis = try checkedChannelAxis(inputs[0])
    try requireFilters(dividedBy: groups, filters)
    var extents = Array(inputs[0].extents[..<channelAxis]) + [filters]
    for spatial in 0..<window.axes {
      extents.append(
        try window.positions(over: inputs[0][channelAxis + 1 + spatial], axis: spatial))
    }
    let output = try Shape(extents)
    if addsToInput, inputs[1] != output {
      throw ShapeError("a result of shape \(output) cannot be added to \(inputs[1])")
    }
    return [output]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    let channels = inputs[0][try checkedChannelAxis(inputs[0])]
    let bias = hasBias ? [ParameterSlot("bias", try Shape([filters]))] : []
    guard isInWinogradDomain else {
      let weights = try Shape([filters, channels / groups] + window.kernel)
      return [ParameterSlot("weights", weights)] + bias
    }
    let kernel = window.kernel[0]
    let points = WinogradDomain.points(kernel: kernel)
    let weights = try Shape([filters, channels / groups, points, points])
    return [ParameterSlot("weights", weights, domain: .winograd(kernel: kernel))] + bias
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "convolves along")
  }

  public var attributes: [Attribute] {
    [Attribute("filters", filters)] + window.attributes
      + (groups == 1 ? [] : [Attribute("groups", groups)])
      + (axis == 1 ? [] : [Attribute("axis", axis)])
      + (hasBias ? [] : [Attribute("bias", "none")])
      + (isInWinogradDomain ? [Attribute("weights", "transformed")] : [])
      + (addsToInput ? [Attribute("adds", "second")] : [])
      + (activation.map { [Attribute("activation", $0.typeName)] + $0.attributes } ?? [])
  }

  public func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    guard let channelAxis = try? inputs[0].canonicalAxis(axis) else { return 0 }
    let channels = inputs[0][channelAxis] / groups
    guard isInWinogradDomain, outputs[0].axes == 4 else {
      return saturatingProduct([outputs[0].count, channels, window.taps])
    }
    let tiles = outputs[0].extents[2...].map {
      ($0 + WinogradDomain.tile - 1) / WinogradDomain.tile
    }
    return saturatingProduct([outputs[0].count(upTo: 2), channels, weightsPerChannel] + tiles)
  }

  private func checkedChannelAxis(_ input: Shape) throws(ShapeError) -> Int {
    let channelAxis = try checkChannels(of: input, axis: axis, window: window, groups: groups)
    guard isInWinogradDomain else { return channelAxis }
    guard window.kernel == [3, 3] || window.kernel == [5, 5], window.stride == [1, 1],
      window.dilation == [1, 1], input.axes == 4, channelAxis == 1
    else {
      throw ShapeError(
        "weights in the Winograd domain need a kernel of 3x3 or 5x5, stride and dilation 1, and images [N,C,H,W]"
      )
    }
    return channelAxis
  }
}

/// Transposed convolution: each input element adds a scaled copy of a filter to the output.
///
/// Weights: [channels, filters / groups, kernel...]; bias: [filters].
public struct Deconvolution: Layer {
  /// The number of output channels.
  public var filters: Int
  public var window: Window
  public var groups: Int
  /// The channel axis; may count from the end.
  public var axis: Int
  public var hasBias: Bool

  public init(filters: Int, window: Window, groups: Int = 1, axis: Int = 1, hasBias: Bool = true) {
    self.filters = filters
    self.window = window
    self.groups = groups
    self.axis = axis
    self.hasBias = hasBias
  }

  public var typeName: String { "Deconvolution" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let channelAxis = try checkChannels(
      of: inputs[0], axis: axis, window: window, groups: groups)
    try requireFilters(dividedBy: groups, filters)
    var extents = Array(inputs[0].extents[..<channelAxis]) + [filters]
    for spatial in 0..<window.axes {
      let steps = (inputs[0][channelAxis + 1 + spatial] - 1)
        .multipliedReportingOverflow(by: window.stride[spatial])
      let extent = steps.partialValue + window.span(spatial) - 2 * window.pad[spatial]
      guard !steps.overflow, extent >= 1 else {
        throw ShapeError("padding \(window.pad[spatial]) leaves nothing of the output")
      }
      extents.append(extent)
    }
    return [try Shape(extents)]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    let channelAxis = try checkChannels(
      of: inputs[0], axis: axis, window: window, groups: groups)
    let weights = try Shape([inputs[0][channelAxis], filters / groups] + window.kernel)
    return [ParameterSlot("weights", weights)]
      + (hasBias ? [ParameterSlot("bias", try Shape([filters]))] : [])
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "convolves along")
  }

  public var attributes: [Attribute] {
    [Attribute("filters", filters)] + window.attributes
      + (groups == 1 ? [] : [Attribute("groups", groups)])
      + (axis == 1 ? [] : [Attribute("axis", axis)])
      + (hasBias ? [] : [Attribute("bias", "none")])
  }

  public func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    saturatingProduct([inputs[0].count, filters / groups, window.taps])
  }
}

/// Rearranges the patches that a convolution would read into channels, one per weight column.
public struct Im2col: Layer {
  public var window: Window
  /// The channel axis; may count from the end.
  public var axis: Int

  public init(window: Window, axis: Int = 1) {
    self.window = window
    self.axis = axis
  }

  public var typeName: String { "Im2col" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let channelAxis = try checkChannels(of: inputs[0], axis: axis, window: window, groups: 1)
    let columns = inputs[0][channelAxis].multipliedReportingOverflow(by: window.taps)
    guard !columns.overflow else { throw ShapeError("more columns than can be counted") }
    var extents = Array(inputs[0].extents[..<channelAxis]) + [columns.partialValue]
    for spatial in 0..<window.axes {
      extents.append(
        try window.positions(over: inputs[0][channelAxis + 1 + spatial], axis: spatial))
    }
    return [try Shape(extents)]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "gathers patches along")
  }

  public var attributes: [Attribute] {
    window.attributes + (axis == 1 ? [] : [Attribute("axis", axis)])
  }
}

/// The channel axis of a sliding-window layer's input, after checking that everything fits.
private func checkChannels(of input: Shape, axis: Int, window: Window, groups: Int)
  throws(ShapeError) -> Int
{
  try window.check()
  let channelAxis = try input.canonicalAxis(axis)
  guard input.axes - channelAxis - 1 == window.axes else {
    throw ShapeError(
      "the input \(input) has \(input.axes - channelAxis - 1) axes after channel axis \(axis), "
        + "the kernel has \(window.axes)")
  }
  guard groups >= 1, input[channelAxis] % groups == 0 else {
    throw ShapeError("\(input[channelAxis]) input channels do not divide into \(groups) groups")
  }
  return channelAxis
}

private func requireFilters(dividedBy groups: Int, _ filters: Int) throws(ShapeError) {
  guard filters >= 1 else { throw ShapeError("\(filters) output channels") }
  guard filters % groups == 0 else {
    throw ShapeError("\(filters) output channels do not divide into \(groups) groups")
  }
}

/// The product of non-negative factors, or the largest integer if it is larger.
func saturatingProduct(_ factors: [Int]) -> Int {
  factors.reduce(1) { product, factor in
    let (result, overflow) = product.multipliedReportingOverflow(by: factor)
    return overflow ? Int.max : result
  }
}
