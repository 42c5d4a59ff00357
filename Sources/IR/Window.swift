/// How a quotient of extents is rounded.
public enum Rounding: String, Hashable, Sendable {
  case down, up
}

/// A window that slides over spatial axes: one entry per axis, outermost (height) first.
public struct Window: Hashable, Sendable {
  /// Extents of the window, in taps.
  public var kernel: [Int]
  /// Distance between neighbouring positions of the window.
  public var stride: [Int]
  /// Zeros assumed on each side of the input.
  public var pad: [Int]
  /// Distance between neighbouring taps.
  public var dilation: [Int]

  /// - Precondition: all four lists have the same length.
  public init(kernel: [Int], stride: [Int], pad: [Int], dilation: [Int]) {
    precondition(
      kernel.count == stride.count && kernel.count == pad.count && kernel.count == dilation.count,
      "a window has one entry per spatial axis")
    self.kernel = kernel
    self.stride = stride
    self.pad = pad
    self.dilation = dilation
  }

  /// A window over `kernel.count` axes with stride 1, no padding and no dilation.
  public init(kernel: [Int]) {
    let ones = [Int](repeating: 1, count: kernel.count)
    self.init(
      kernel: kernel, stride: ones, pad: [Int](repeating: 0, count: kernel.count), dilation: ones)
  }

  /// The number of spatial axes.
  public var axes: Int { kernel.count }

  /// The number of taps.
  public var taps: Int { kernel.reduce(1, *) }

  /// The extent covered along `axis`: dilation * (kernel - 1) + 1.
  public func span(_ axis: Int) -> Int { dilation[axis] * (kernel[axis] - 1) + 1 }

  /// Whether the window reads each input element once, in place: 1x1, stride 1, no padding.
  public var isPointwise: Bool {
    kernel.allSatisfy { $0 == 1 } && stride.allSatisfy { $0 == 1 } && pad.allSatisfy { $0 == 0 }
  }

  /// What is wrong with the numbers themselves, whatever the input.
  public func check() throws(ShapeError) {
    for axis in 0..<axes {
      guard kernel[axis] >= 1 else { throw ShapeError("a kernel extent of \(kernel[axis])") }
      guard stride[axis] >= 1 else { throw ShapeError("a stride of \(stride[axis])") }
      guard pad[axis] >= 0 else { throw ShapeError("a padding of \(pad[axis])") }
      guard dilation[axis] >= 1 else { throw ShapeError("a dilation of \(dilation[axis])") }
      let limit = 1 << 24
      guard kernel[axis] < limit, stride[axis] < limit, pad[axis] < limit, dilation[axis] < limit
      else { throw ShapeError("a window larger than \(limit)") }
    }
  }

  /// The number of positions along `axis` of an input of `extent`: floor((in + 2 pad - span) / stride) + 1.
  public func positions(over extent: Int, axis: Int) throws(ShapeError) -> Int {
    let room = extent + 2 * pad[axis] - span(axis)
    guard room >= 0 else {
      throw ShapeError(
        "a window of extent \(span(axis)) does not fit into \(extent) with padding \(pad[axis])")
    }
    return room / stride[axis] + 1
  }

  /// `kernel 3x3, stride 2x2, pad 1x1, dilation 1x1`, without what is the default.
  public var attributes: [Attribute] {
    func text(_ list: [Int]) -> String { list.map(String.init).joined(separator: "x") }
    var result = [Attribute("kernel", text(kernel))]
    if stride.contains(where: { $0 != 1 }) { result.append(Attribute("stride", text(stride))) }
    if pad.contains(where: { $0 != 0 }) { result.append(Attribute("pad", text(pad))) }
    if dilation.contains(where: { $0 != 1 }) {
      result.append(Attribute("dilation", text(dilation)))
    }
    return result
  }
}
