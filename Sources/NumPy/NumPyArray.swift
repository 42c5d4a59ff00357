/// An array of float32 as NumPy keeps it in `.npy` files: extents and values, last axis fastest.
public struct NumPyArray: Hashable, Sendable {
  /// Extents from the slowest axis to the fastest; none for a single value.
  public let shape: [Int]
  /// As many values as the product of the extents.
  public let values: [Float]

  /// An array in memory; there must be exactly as many values as the shape says.
  public init(shape: [Int], values: [Float]) {
    precondition(
      elementCount(of: shape) == values.count, "an array has as many values as its shape says")
    self.shape = shape
    self.values = values
  }
}

/// The product of extents; nil if one is negative or the product exceeds `Int`.
func elementCount(of shape: [Int]) -> Int? {
  guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
  // Zero first, as in NumPy: an empty array is empty however large its other extents are.
  if shape.contains(0) { return 0 }
  var count = 1
  for extent in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: extent)
    if overflow { return nil }
    count = product
  }
  return count
}
