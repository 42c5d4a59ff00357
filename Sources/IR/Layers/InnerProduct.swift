/// A fully connected layer: axes from `axis` on are flattened and multiplied by a matrix.
///
/// Weights: [outputs, inputs], or [inputs, outputs] if transposed; bias: [outputs].
public struct InnerProduct: Layer {
  public var outputs: Int
  /// The first axis that is flattened; may count from the end.
  public var axis: Int
  public var hasBias: Bool
  public var isTransposed: Bool
  /// Applied to the result by the same kernel; set by the fusion pass.
  public var activation: ElementwiseFunction?

  public init(
    outputs: Int, axis: Int = 1, hasBias: Bool = true, isTransposed: Bool = false,
    activation: ElementwiseFunction? = nil
  ) {
    self.outputs = outputs
    self.axis = axis
    self.hasBias = hasBias
    self.isTransposed = isTransposed
    self.activation = activation
  }

  public var typeName: String { "InnerProduct" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard outputs >= 1 else { throw ShapeError("\(outputs) outputs") }
    let first = try inputs[0].canonicalAxis(axis)
    return [try Shape(inputs[0].extents[..<first] + [outputs])]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    let columns = inputs[0].count(from: try inputs[0].canonicalAxis(axis))
    let weights = try Shape(isTransposed ? [columns, outputs] : [outputs, columns])
    return [ParameterSlot("weights", weights)]
      + (hasBias ? [ParameterSlot("bias", try Shape([outputs]))] : [])
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "flattens")
  }

  public var attributes: [Attribute] {
    [Attribute("outputs", outputs)]
      + (axis == 1 ? [] : [Attribute("axis", axis)])
      + (hasBias ? [] : [Attribute("bias", "none")])
      + (isTransposed ? [Attribute("weights", "transposed")] : [])
      + (activation.map { [Attribute("activation", $0.typeName)] + $0.attributes } ?? [])
  }

  public func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    guard let first = try? inputs[0].canonicalAxis(axis) else { return 0 }
    return saturatingProduct([outputs[0].count, inputs[0].count(from: first)])
  }
}

/// Looks rows of a matrix up by index (indices are floats).
///
/// Weights: [rows, outputs]; bias: [outputs]. Output: the input's shape + [outputs].
public struct Embed: Layer {
  public var outputs: Int
  /// The number of rows; valid indices are 0 ..< rows.
  public var rows: Int
  public var hasBias: Bool

  public init(outputs: Int, rows: Int, hasBias: Bool = true) {
    self.outputs = outputs
    self.rows = rows
    self.hasBias = hasBias
  }

  public var typeName: String { "Embed" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard outputs >= 1, rows >= 1 else {
      throw ShapeError("an embedding of \(rows) rows and \(outputs) outputs")
    }
    return [try Shape(inputs[0].extents + [outputs])]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    [ParameterSlot("weights", try Shape([rows, outputs]))]
      + (hasBias ? [ParameterSlot("bias", try Shape([outputs]))] : [])
  }

  public var attributes: [Attribute] {
    [Attribute("outputs", outputs), Attribute("rows", rows)]
      + (hasBias ? [] : [Attribute("bias", "none")])
  }
}
