/// Reduces each window of each channel to one number.
///
/// Input [N, C, H, W]. Output extents are rounded up, and a window that would start beyond the image and
/// its left padding is dropped, but only if there is padding at all: trained models rely on it.
public struct Pooling: Layer {
  public enum Reduction: String, Hashable, Sendable {
    /// The largest value; padding never contributes.
    case max
    /// The sum divided by the window's extent clipped to the padded image (padding counts as zeros).
    case average
    /// sum x^2 / sum x: stochastic pooling at test time.
    case stochastic
  }

  public var reduction: Reduction
  /// Two spatial axes; ignored if `isGlobal`.
  public var window: Window
  public var rounding: Rounding
  /// Whether the window is the whole image.
  public var isGlobal: Bool
  /// Whether a maximum starts at 0 instead of the lowest number: pooling with ReLU built in.
  public var startsAtZero: Bool
  /// Whether a second output receives the position (row * W + column) of each maximum.
  public var writesPositions: Bool

  public init(
    reduction: Reduction, window: Window, rounding: Rounding = .up, isGlobal: Bool = false,
    startsAtZero: Bool = false, writesPositions: Bool = false
  ) {
    self.reduction = reduction
    self.window = window
    self.rounding = rounding
    self.isGlobal = isGlobal
    self.startsAtZero = startsAtZero
    self.writesPositions = writesPositions
  }

  public var typeName: String { "Pooling" }

  /// The window as it applies to an input of `shape`.
  public func resolvedWindow(for shape: Shape) -> Window {
    isGlobal ? Window(kernel: Array(shape.extents[2...])) : window
  }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let input = inputs[0]
    guard input.axes == 4 else {
      throw ShapeError("pooling needs 4 axes, the input \(input) has \(input.axes)")
    }
    let window = resolvedWindow(for: input)
    try window.check()
    let padded = window.pad.contains { $0 > 0 }
    var extents = Array(input.extents[..<2])
    for axis in 0..<2 {
      guard window.pad[axis] < window.kernel[axis] else {
        throw ShapeError(
          "padding \(window.pad[axis]) is not smaller than the kernel \(window.kernel[axis])")
      }
      extents.append(
        try positions(of: window, over: input[2 + axis], axis: axis, clips: padded))
    }
    let shape = try Shape(extents)
    return writesPositions ? [shape, shape] : [shape]
  }

  public var attributes: [Attribute] {
    [Attribute("reduction", reduction.rawValue)]
      + (isGlobal ? [Attribute("kernel", "global")] : window.attributes)
      + (rounding == .up ? [] : [Attribute("rounding", rounding.rawValue)])
      + (startsAtZero ? [Attribute("start", "0")] : [])
      + (writesPositions ? [Attribute("positions", "yes")] : [])
  }

  private func positions(of window: Window, over extent: Int, axis: Int, clips: Bool)
    throws(ShapeError) -> Int
  {
    let room = extent + 2 * window.pad[axis] - window.kernel[axis]
    let stride = window.stride[axis]
    // With room < 0 Caffe's float ceil still gives one window as long as the kernel overshoots by less
    // than a stride; only a result below one position is impossible.
    let steps: Int
    switch rounding {
    case .up: steps = Int((Double(room) / Double(stride)).rounded(.up))
    case .down: steps = Int((Double(room) / Double(stride)).rounded(.down))
    }
    var positions = steps + 1
    if clips, (positions - 1) * stride >= extent + window.pad[axis] { positions -= 1 }
    guard positions >= 1 else {
      throw ShapeError(
        "a window of extent \(window.kernel[axis]) does not fit into \(extent) "
          + "with padding \(window.pad[axis])")
    }
    return positions
  }
}

/// Spatial pyramid pooling: pools into 1x1, 2x2, 4x4… bins and joins the results.
///
/// Input [N, C, H, W]; output [N, C * bins]. A pyramid of one level is a plain pooling: [N, C, 1, 1].
public struct SpatialPyramidPooling: Layer {
  /// The number of levels; level l has 2^l x 2^l bins.
  public var height: Int
  public var reduction: Pooling.Reduction

  public init(height: Int, reduction: Pooling.Reduction) {
    self.height = height
    self.reduction = reduction
  }

  public var typeName: String { "SPP" }

  /// The pooling layer of one level: kernel ceil(extent / bins), stride the same, and so much padding that
  /// the bins cover the image.
  public func pooling(level: Int, for shape: Shape) -> Pooling {
    let bins = 1 << level
    let kernel = (2...3).map { (shape[$0] + bins - 1) / bins }
    let pad = (0..<2).map { (kernel[$0] * bins - shape[2 + $0] + 1) / 2 }
    return Pooling(
      reduction: reduction,
      window: Window(kernel: kernel, stride: kernel, pad: pad, dilation: [1, 1]))
  }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let input = inputs[0]
    guard input.axes == 4 else {
      throw ShapeError("pyramid pooling needs 4 axes, the input \(input) has \(input.axes)")
    }
    guard (1...10).contains(height) else {
      throw ShapeError("a pyramid of \(height) levels; 1 to 10 are possible")
    }
    guard input[2] >= 1 << (height - 1), input[3] >= 1 << (height - 1) else {
      throw ShapeError(
        "a pyramid of \(height) levels needs an image of at least \(1 << (height - 1)) pixels "
          + "a side, not \(input[2])x\(input[3])")
    }
    if height == 1 { return try pooling(level: 0, for: input).outputShapes(for: inputs) }
    var bins = 0
    for level in 0..<height {
      let pooled = try pooling(level: level, for: input).outputShapes(for: inputs)[0]
      bins += pooled[2] * pooled[3]
    }
    return [try Shape([input[0], input[1] * bins])]
  }

  public var attributes: [Attribute] {
    [Attribute("height", height), Attribute("reduction", reduction.rawValue)]
  }
}
