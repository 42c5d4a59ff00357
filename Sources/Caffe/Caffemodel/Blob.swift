import IR

/// A parameter array of a layer as a file holds it.
public struct Blob: Hashable, Sendable {
  /// The values, in the shape that the file gives them.
  public var tensor: Tensor
  /// Whether the file gives the shape by the four old fields num, channels, height and width.
  ///
  /// Such a shape has four axes whatever the layer means: see `matched(to:)`.
  public var isLegacy: Bool

  public init(_ tensor: Tensor, isLegacy: Bool = false) {
    precondition(!isLegacy || tensor.shape.axes == 4, "a legacy shape has four axes")
    self.tensor = tensor
    self.isLegacy = isLegacy
  }

  /// The shape that the file gives.
  public var shape: Shape { tensor.shape }
  /// The values, row-major.
  public var values: [Float] { tensor.values }
}

extension Blob {
  /// Checks a decoded array; the values are shared, not copied, unless they are doubles.
  init(_ wire: WireBlobProto) throws(ShapeError) {
    let isLegacy = wire.hasNum || wire.hasChannels || wire.hasHeight || wire.hasWidth
    let extents =
      isLegacy
      ? [wire.num, wire.channels, wire.height, wire.width].map { Int($0) }
      : wire.shape.dim.map { Int($0) }
    let shape = try Shape(extents)
    let stored = wire.doubleData.isEmpty ? wire.data.count : wire.doubleData.count
    guard stored == shape.count else {
      throw ShapeError("shape \(shape) wants \(shape.count) values, but \(stored) are stored")
    }
    let values = wire.doubleData.isEmpty ? wire.data : wire.doubleData.map { Float($0) }
    self.init(Tensor(shape: shape, values: values), isLegacy: isLegacy)
  }
}
