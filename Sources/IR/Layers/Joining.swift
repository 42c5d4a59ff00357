/// Joins inputs along one axis.
public struct Concat: Layer {
  /// May count from the end.
  public var axis: Int

  public init(axis: Int = 1) { self.axis = axis }

  public var typeName: String { "Concat" }
  public var inputCounts: ClosedRange<Int> { 1...4096 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let along = try inputs[0].canonicalAxis(axis)
    var total = 0
    for input in inputs {
      guard input.axes == inputs[0].axes,
        (0..<input.axes).allSatisfy({ $0 == along || input[$0] == inputs[0][$0] })
      else {
        throw ShapeError("inputs \(inputs[0]) and \(input) differ outside axis \(axis)")
      }
      total += input[along]
    }
    return [try inputs[0].replacing(axis: along, with: total)]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "concatenates along")
  }

  public var attributes: [Attribute] { axis == 1 ? [] : [Attribute("axis", axis)] }
}

/// Cuts its input along one axis into as many parts as it has outputs.
public struct Slice: Layer {
  /// May count from the end.
  public var axis: Int
  /// Where parts 1, 2… begin; empty: equal parts.
  public var points: [Int]
  /// The number of parts.
  public var parts: Int

  public init(axis: Int = 1, points: [Int] = [], parts: Int) {
    self.axis = axis
    self.points = points
    self.parts = parts
  }

  public var typeName: String { "Slice" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let along = try inputs[0].canonicalAxis(axis)
    let extent = inputs[0][along]
    guard parts >= 1 else { throw ShapeError("a slice into \(parts) parts") }
    var bounds = [0]
    if points.isEmpty {
      guard extent % parts == 0 else {
        throw ShapeError("an extent of \(extent) does not divide into \(parts) equal parts")
      }
      bounds = (0...parts).map { $0 * (extent / parts) }
    } else {
      guard points.count == parts - 1 else {
        throw ShapeError("\(points.count) slice points for \(parts) parts")
      }
      bounds = [0] + points + [extent]
    }
    var shapes: [Shape] = []
    for (low, high) in zip(bounds, bounds.dropFirst()) {
      guard low < high else {
        throw ShapeError("slice points \(points) do not rise within an extent of \(extent)")
      }
      shapes.append(try inputs[0].replacing(axis: along, with: high - low))
    }
    return shapes
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "slices")
  }

  public var attributes: [Attribute] {
    (axis == 1 ? [] : [Attribute("axis", axis)])
      + (points.isEmpty
        ? [] : [Attribute("points", points.map(String.init).joined(separator: ","))])
      + [Attribute("parts", parts)]
  }
}

/// Gives its input to several outputs.
public struct Split: Layer {
  /// The number of outputs.
  public var copies: Int

  public init(copies: Int) { self.copies = copies }

  public var typeName: String { "Split" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard copies >= 1 else { throw ShapeError("a split into \(copies) copies") }
    return [Shape](repeating: inputs[0], count: copies)
  }

  public var attributes: [Attribute] { [Attribute("copies", copies)] }
}

/// Swallows its inputs.
public struct Silence: Layer {
  public init() {}

  public var typeName: String { "Silence" }
  public var inputCounts: ClosedRange<Int> { 1...4096 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] { [] }
}

/// Repeats its input along one axis.
public struct Tile: Layer {
  /// May count from the end.
  public var axis: Int
  public var tiles: Int

  public init(axis: Int = 1, tiles: Int) {
    self.axis = axis
    self.tiles = tiles
  }

  public var typeName: String { "Tile" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let along = try inputs[0].canonicalAxis(axis)
    guard tiles >= 1 else { throw ShapeError("\(tiles) tiles") }
    let (extent, overflow) = inputs[0][along].multipliedReportingOverflow(by: tiles)
    guard !overflow else { throw ShapeError("\(tiles) tiles of \(inputs[0][along])") }
    return [try inputs[0].replacing(axis: along, with: extent)]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "tiles")
  }

  public var attributes: [Attribute] { [Attribute("axis", axis), Attribute("tiles", tiles)] }
}

/// Gathers rows (axis 0) of the first input by the indices in the second.
public struct BatchReindex: Layer {
  public init() {}

  public var typeName: String { "BatchReindex" }
  public var inputCounts: ClosedRange<Int> { 2...2 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].axes >= 1, inputs[1].axes == 1 else {
      throw ShapeError("needs rows and a list of indices, not \(inputs[0]) and \(inputs[1])")
    }
    return [try inputs[0].replacing(axis: 0, with: inputs[1][0])]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    inputs.contains { $0.isBatched } ? .mixes(because: "it gathers items of the batch") : .constant
  }
}

/// A learned array as a blob of its own.
public struct ParameterBlob: Layer {
  public var shape: Shape

  public init(shape: Shape) { self.shape = shape }

  public var typeName: String { "Parameter" }
  public var inputCounts: ClosedRange<Int> { 0...0 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] { [shape] }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    [ParameterSlot("value", shape)]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule { .constant }
}
