/// Applies a function of one number to every element.
public struct Elementwise: Layer {
  public var function: ElementwiseFunction

  public init(_ function: ElementwiseFunction) { self.function = function }

  public var typeName: String { function.typeName }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    if case .clip(let low, let high) = function, !(low <= high) {
      throw ShapeError("a clip range from \(low) to \(high)")
    }
    return inputs
  }

  public var attributes: [Attribute] { function.attributes }
}

/// ReLU with learned slopes: max(x, 0) + slope[channel] * min(x, 0). Slopes: [channels], or [] if shared.
public struct PReLU: Layer {
  public var isShared: Bool

  public init(isShared: Bool = false) { self.isShared = isShared }

  public var typeName: String { "PReLU" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].axes >= 2 else {
      throw ShapeError("PReLU needs a channel axis 1, the input is \(inputs[0])")
    }
    return inputs
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    [ParameterSlot("slope", isShared ? .scalar : .vector(inputs[0][1]))]
  }

  public var attributes: [Attribute] { isShared ? [Attribute("slope", "shared")] : [] }
}

/// Combines inputs of one shape element by element.
public struct Eltwise: Layer {
  public enum Combination: Hashable, Sendable {
    /// Sum of coefficient times input; as many coefficients as inputs.
    case sum(coefficients: [Float])
    case product
    case maximum
  }

  public var combination: Combination
  /// Applied to the result by the same kernel; set by the fusion pass.
  public var activation: ElementwiseFunction?

  public init(_ combination: Combination, activation: ElementwiseFunction? = nil) {
    self.combination = combination
    self.activation = activation
  }

  public var typeName: String { "Eltwise" }
  public var inputCounts: ClosedRange<Int> { 2...1024 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    for other in inputs.dropFirst() where other != inputs[0] {
      throw ShapeError("inputs of different shapes, \(inputs[0]) and \(other)")
    }
    if case .sum(let coefficients) = combination, coefficients.count != inputs.count {
      throw ShapeError("\(coefficients.count) coefficients for \(inputs.count) inputs")
    }
    return [inputs[0]]
  }

  public var attributes: [Attribute] {
    combination.attributes
      + (activation.map { [Attribute("activation", $0.typeName)] + $0.attributes } ?? [])
  }
}

extension Eltwise.Combination {
  fileprivate var attributes: [Attribute] {
    switch self {
    case .product: return [Attribute("operation", "product")]
    case .maximum: return [Attribute("operation", "maximum")]
    case .sum(let coefficients):
      let plain = coefficients.allSatisfy { $0 == 1 }
      return plain
        ? [] : [Attribute("coefficients", coefficients.map { "\($0)" }.joined(separator: ","))]
    }
  }
}

/// Multiplies by a scale that is broadcast over the axes before and after it, and may add a bias.
///
/// With one input the scale is a parameter of the shape of `spannedAxes` axes from `axis`; with two, the
/// second input is the scale and the only parameter is the bias.
public struct Scale: Layer {
  /// The first axis that the scale covers; may count from the end.
  public var axis: Int
  /// How many axes a learned scale covers; -1: to the end; 0: it is a scalar. Ignored with two inputs.
  public var spannedAxes: Int
  public var hasBias: Bool

  public init(axis: Int = 1, spannedAxes: Int = 1, hasBias: Bool = false) {
    self.axis = axis
    self.spannedAxes = spannedAxes
    self.hasBias = hasBias
  }

  public var typeName: String { "Scale" }
  public var inputCounts: ClosedRange<Int> { 1...2 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    _ = try broadcastShape(for: inputs)
    return [inputs[0]]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    let shape = try broadcastShape(for: inputs)
    return (inputs.count == 1 ? [ParameterSlot("scale", shape)] : [])
      + (hasBias ? [ParameterSlot("bias", shape)] : [])
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    broadcastBatchRule(
      inputs, axis: axis, spannedAxes: spannedAxes, hasOwnArray: inputs.count == 1 || hasBias)
  }

  public var attributes: [Attribute] {
    broadcastAttributes(axis, spannedAxes) + (hasBias ? [Attribute("bias", "yes")] : [])
  }

  /// The extents before, of, and after the scale: element i of the input meets element
  /// (i / inner) % middle of the scale.
  public func extents(for inputs: [Shape]) throws(ShapeError) -> BroadcastExtents {
    try BroadcastExtents(inputs[0], covered: try broadcastShape(for: inputs), axis: axis)
  }

  private func broadcastShape(for inputs: [Shape]) throws(ShapeError) -> Shape {
    try coveredShape(of: inputs, axis: axis, spannedAxes: spannedAxes)
  }
}

/// Adds a bias that is broadcast over the axes before and after it; as `Scale` in all else.
public struct Bias: Layer {
  public var axis: Int
  public var spannedAxes: Int

  public init(axis: Int = 1, spannedAxes: Int = 1) {
    self.axis = axis
    self.spannedAxes = spannedAxes
  }

  public var typeName: String { "Bias" }
  public var inputCounts: ClosedRange<Int> { 1...2 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    _ = try coveredShape(of: inputs, axis: axis, spannedAxes: spannedAxes)
    return [inputs[0]]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    if inputs.count == 2 { return [] }
    let shape = try coveredShape(of: inputs, axis: axis, spannedAxes: spannedAxes)
    return [ParameterSlot("bias", shape)]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    broadcastBatchRule(
      inputs, axis: axis, spannedAxes: spannedAxes, hasOwnArray: inputs.count == 1)
  }

  public var attributes: [Attribute] { broadcastAttributes(axis, spannedAxes) }

  /// As `Scale.extents(for:)`.
  public func extents(for inputs: [Shape]) throws(ShapeError) -> BroadcastExtents {
    let covered = try coveredShape(of: inputs, axis: axis, spannedAxes: spannedAxes)
    return try BroadcastExtents(inputs[0], covered: covered, axis: axis)
  }
}

/// The numbers of elements before, of, and after an array that is broadcast over another.
public struct BroadcastExtents: Hashable, Sendable {
  public var outer: Int
  public var middle: Int
  public var inner: Int

  init(_ input: Shape, covered: Shape, axis: Int) throws(ShapeError) {
    let first = covered.axes == 0 && input.axes == 0 ? 0 : try input.canonicalAxis(axis)
    outer = input.count(upTo: first)
    middle = covered.count
    inner = input.count / outer / middle
  }
}

private func broadcastAttributes(_ axis: Int, _ spannedAxes: Int) -> [Attribute] {
  (axis == 1 ? [] : [Attribute("axis", axis)])
    + (spannedAxes == 1 ? [] : [Attribute("axes", spannedAxes)])
}

private func coveredShape(of inputs: [Shape], axis: Int, spannedAxes: Int) throws(ShapeError)
  -> Shape
{
  let input = inputs[0]
  if inputs.count == 2 {
    let first = inputs[1].axes == 0 ? 0 : try input.canonicalAxis(axis)
    let last = first + inputs[1].axes
    guard last <= input.axes, Array(input.extents[first..<last]) == inputs[1].extents else {
      throw ShapeError(
        "the second input \(inputs[1]) does not match the first, \(input), from axis \(axis)")
    }
    return inputs[1]
  }
  if spannedAxes == 0 { return .scalar }
  let first = try input.canonicalAxis(axis)
  let last = spannedAxes == -1 ? input.axes : first + spannedAxes
  guard spannedAxes >= -1, last <= input.axes else {
    throw ShapeError("\(spannedAxes) axes from axis \(axis) of shape \(input)")
  }
  return try Shape(Array(input.extents[first..<last]))
}

private func broadcastBatchRule(
  _ inputs: [BatchedShape], axis: Int, spannedAxes: Int, hasOwnArray: Bool
) -> BatchRule {
  let coversBatch = axis == 0 || axis + inputs[0].shape.axes == 0
  if inputs.count == 2 {
    switch (inputs[0].isBatched, inputs[1].isBatched) {
    case (true, true):
      if !coversBatch { return .mixes(because: "its second input has a batch axis of its own") }
      return hasOwnArray ? .mixes(because: "its bias covers axis 0") : .perItem
    case (true, false):
      return coversBatch && inputs[1].shape.axes > 0
        ? .mixes(because: "its second input covers axis 0") : .perItem
    case (false, true): return .mixes(because: "only its second input has a batch axis")
    case (false, false): return .constant
    }
  }
  if inputs[0].isBatched, coversBatch, spannedAxes != 0 {
    return .mixes(because: "its learned array covers axis 0")
  }
  return inputs[0].isBatched ? .perItem : .constant
}
