/// Why shapes do not fit; one clause without a final full stop.
public struct ShapeError: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// The extents of an N-dimensional array, outermost first, as a Caffe blob has them.
///
/// A shape has 0 to 32 axes (0 axes: one element). Every extent is at least 1 and the number of
/// elements fits in 31 bits, so arithmetic on extents of one shape cannot overflow.
public struct Shape: Hashable, Sendable {
  /// The most axes a shape may have.
  public static let maximumAxes = 32
  /// The most elements a shape may have.
  public static let maximumCount = Int(Int32.max)

  public let extents: [Int]
  /// The number of elements.
  public let count: Int

  /// Makes a shape, or says which limit it breaks.
  public init(_ extents: [Int]) throws(ShapeError) {
    guard extents.count <= Self.maximumAxes else {
      throw ShapeError("a shape of \(extents.count) axes; at most \(Self.maximumAxes) are possible")
    }
    var count = 1
    for extent in extents {
      guard extent >= 1 else {
        throw ShapeError("shape \(Self.text(extents)) has an extent of \(extent)")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Self.maximumCount else {
        throw ShapeError(
          "shape \(Self.text(extents)) has more than \(Self.maximumCount) elements")
      }
      count = product
    }
    self.extents = extents
    self.count = count
  }

  /// The shape of a single element, without axes.
  public static let scalar = Shape(unchecked: [])

  /// A shape of one axis of `extent` elements.
  ///
  /// - Precondition: 1 <= extent <= `maximumCount`.
  public static func vector(_ extent: Int) -> Shape {
    precondition(extent >= 1 && extent <= maximumCount, "a vector has 1 to 2^31-1 elements")
    return Shape(unchecked: [extent])
  }

  private init(unchecked extents: [Int]) {
    self.extents = extents
    self.count = extents.reduce(1, *)
  }

  /// The number of axes.
  public var axes: Int { extents.count }

  public subscript(axis: Int) -> Int { extents[axis] }

  /// Turns an axis that may count from the end (-1 is the last) into one that counts from 0.
  public func canonicalAxis(_ axis: Int) throws(ShapeError) -> Int {
    let canonical = axis < 0 ? axis + axes : axis
    guard canonical >= 0, canonical < axes else {
      throw ShapeError("axis \(axis) of shape \(self), which has \(axes) axes")
    }
    return canonical
  }

  /// The number of elements in the axes `range`; 1 if it is empty.
  public func count(_ range: Range<Int>) -> Int { extents[range].reduce(1, *) }

  /// The number of elements from `axis` to the end.
  public func count(from axis: Int) -> Int { count(axis..<axes) }

  /// The number of elements before `axis`.
  public func count(upTo axis: Int) -> Int { count(0..<axis) }

  /// This shape with another extent at `axis`.
  public func replacing(axis: Int, with extent: Int) throws(ShapeError) -> Shape {
    var changed = extents
    changed[axis] = extent
    return try Shape(changed)
  }

  private static func text(_ extents: [Int]) -> String {
    "[" + extents.map(String.init).joined(separator: ",") + "]"
  }
}

extension Shape: CustomStringConvertible {
  /// The extents in brackets: `[1,3,227,227]`.
  public var description: String { Self.text(extents) }
}
