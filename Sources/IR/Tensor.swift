/// An immutable array of float32 values with a shape, row-major; copies share storage.
public struct Tensor: Hashable, Sendable {
  public let shape: Shape
  public let values: [Float]

  /// - Precondition: `values` has as many elements as `shape`.
  public init(shape: Shape, values: [Float]) {
    precondition(shape.count == values.count, "a tensor's values fill its shape")
    self.shape = shape
    self.values = values
  }

  /// A tensor of `shape` full of `value`.
  public init(shape: Shape, repeating value: Float) {
    self.init(shape: shape, values: [Float](repeating: value, count: shape.count))
  }

  /// The number of elements.
  public var count: Int { values.count }

  /// The number of elements that are not zero, by value: -0.0 is a zero.
  public var nonzeroCount: Int {
    values.withUnsafeBufferPointer { buffer in
      var count = 0
      for value in buffer where value != 0 { count += 1 }
      return count
    }
  }

  /// The share of elements that are not zero, 0 to 1.
  public var density: Double { Double(nonzeroCount) / Double(count) }

  /// The same values in another shape of as many elements.
  public func reshaped(to shape: Shape) -> Tensor { Tensor(shape: shape, values: values) }

  /// The elements at some indices of one axis, in the order of `indices`, which may repeat.
  ///
  /// - Precondition: the axis exists, there is an index, and all lie within the axis.
  public func selecting(_ indices: [Int], along axis: Int) -> Tensor {
    let (outer, along) = (shape.count(upTo: axis), shape[axis])
    let inner = shape.count(from: axis + 1)
    var extents = shape.extents
    extents[axis] = indices.count
    guard let result = try? Shape(extents) else { preconditionFailure("there is an index") }
    var selected: [Float] = []
    selected.reserveCapacity(result.count)
    for block in 0..<outer {
      for index in indices {
        let start = (block * along + index) * inner
        selected += values[start..<start + inner]
      }
    }
    return Tensor(shape: result, values: selected)
  }

  /// A hash of the bits of all values that is the same in every run and on every machine (FNV-1a, 64 bits
  /// at a time over 32-bit words).
  public var stableHash: UInt64 {
    values.withUnsafeBufferPointer { buffer in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for value in buffer {
        hash = (hash ^ UInt64(value.bitPattern)) &* 0x0000_0100_0000_01b3
      }
      return hash
    }
  }
}
