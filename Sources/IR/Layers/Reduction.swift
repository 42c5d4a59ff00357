/// Reduces all axes from `axis` on to one number each, which disappear from the shape.
public struct Reduction: Layer {
  public enum Operation: String, Hashable, Sendable {
    case sum
    case sumOfAbsolutes = "sum of absolutes"
    case sumOfSquares = "sum of squares"
    case mean
  }

  public var operation: Operation
  /// May count from the end.
  public var axis: Int
  /// Multiplies the result.
  public var coefficient: Float

  public init(operation: Operation = .sum, axis: Int = 0, coefficient: Float = 1) {
    self.operation = operation
    self.axis = axis
    self.coefficient = coefficient
  }

  public var typeName: String { "Reduction" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    if inputs[0].axes == 0, axis == 0 { return [.scalar] }
    let first = try inputs[0].canonicalAxis(axis)
    return [try Shape(Array(inputs[0].extents[..<first]))]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "reduces")
  }

  public var attributes: [Attribute] {
    [Attribute("operation", operation.rawValue), Attribute("axis", axis)]
      + (coefficient == 1 ? [] : [Attribute("coefficient", coefficient)])
  }
}

/// The indices, or values, of the largest elements; of equal ones the highest index comes first.
///
/// Without an axis: each item is flattened; the output is [N, 1, k], or [N, 2, k] with the values behind the
/// indices. With an axis: that axis shrinks to k and holds indices, or values instead.
public struct ArgMax: Layer {
  /// nil: over everything but axis 0; may count from the end.
  public var axis: Int?
  /// How many of the largest.
  public var top: Int
  public var writesValues: Bool

  public init(axis: Int? = nil, top: Int = 1, writesValues: Bool = false) {
    self.axis = axis
    self.top = top
    self.writesValues = writesValues
  }

  public var typeName: String { "ArgMax" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let input = inputs[0]
    guard top >= 1 else { throw ShapeError("the top \(top)") }
    if let axis {
      let along = try input.canonicalAxis(axis)
      guard top <= input[along] else { throw ShapeError("the top \(top) of \(input[along])") }
      return [try input.replacing(axis: along, with: top)]
    }
    guard input.axes >= 1 else { throw ShapeError("no axis 0") }
    let candidates = input.count(from: 1)
    guard top <= candidates else { throw ShapeError("the top \(top) of \(candidates)") }
    // Caffe keeps at least three axes.
    var extents = [Int](repeating: 1, count: max(input.axes, 3))
    extents[0] = input[0]
    extents[1] = writesValues ? 2 : 1
    extents[2] = top
    return [try Shape(extents)]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    guard let axis else { return Self.itemwise(inputs) }
    return Self.itemwise(inputs, workingAlong: axis, "searches along")
  }

  public var attributes: [Attribute] {
    (axis.map { [Attribute("axis", $0)] } ?? []) + (top == 1 ? [] : [Attribute("top", top)])
      + (writesValues ? [Attribute("values", "yes")] : [])
  }
}
