/// Merges the axes from `axis` to `endAxis` into one.
public struct Flatten: Layer {
  /// The first axis; may count from the end.
  public var axis: Int
  /// The last axis; may count from the end.
  public var endAxis: Int

  public init(axis: Int = 1, endAxis: Int = -1) {
    self.axis = axis
    self.endAxis = endAxis
  }

  public var typeName: String { "Flatten" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let first = try inputs[0].canonicalAxis(axis)
    let last = try inputs[0].canonicalAxis(endAxis)
    guard first <= last else { throw ShapeError("end axis \(endAxis) before axis \(axis)") }
    let extents = inputs[0].extents
    return [
      try Shape(
        extents[..<first] + [inputs[0].count(first..<last + 1)] + extents[(last + 1)...])
    ]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    let last = (try? inputs[0].shape.canonicalAxis(endAxis)) ?? 0
    return last == 0
      ? Self.itemwise(inputs) : Self.itemwise(inputs, workingAlong: axis, "flattens")
  }

  public var attributes: [Attribute] {
    (axis == 1 ? [] : [Attribute("axis", axis)])
      + (endAxis == -1 ? [] : [Attribute("end", endAxis)])
  }
}

/// Replaces a run of axes by others with as many elements.
public struct Reshape: Layer {
  /// New extents: 0 copies the extent that stood there, -1 (at most once) is inferred.
  public var extents: [Int]
  /// Where the replaced run begins; -1 is behind the last axis.
  public var axis: Int
  /// The length of the replaced run; -1: to the end.
  public var replacedAxes: Int

  public init(extents: [Int], axis: Int = 0, replacedAxes: Int = -1) {
    self.extents = extents
    self.axis = axis
    self.replacedAxes = replacedAxes
  }

  public var typeName: String { "Reshape" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let input = inputs[0]
    let run = try replacedRun(of: input)
    var result = Array(input.extents[..<run.lowerBound])
    var inferred: Int?
    for (position, extent) in extents.enumerated() {
      switch extent {
      case 0:
        guard run.lowerBound + position < input.axes else {
          throw ShapeError("extent \(position) copies an axis that \(input) does not have")
        }
        result.append(input[run.lowerBound + position])
      case -1:
        guard inferred == nil else { throw ShapeError("two extents of -1") }
        inferred = result.count
        result.append(1)
      default: result.append(extent)
      }
    }
    result += input.extents[run.upperBound...]
    if let inferred {
      let others = try Shape(result).count
      guard input.count % others == 0 else {
        throw ShapeError("\(input.count) elements do not divide by \(others)")
      }
      result[inferred] = input.count / others
    }
    let shape = try Shape(result)
    guard shape.count == input.count else {
      throw ShapeError("\(input) has \(input.count) elements, \(shape) has \(shape.count)")
    }
    return [shape]
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    guard let run = try? replacedRun(of: inputs[0].shape) else { return Self.itemwise(inputs) }
    if run.lowerBound > 0 { return Self.itemwise(inputs) }
    // `dim: 0` in front copies the batch; an explicit number, or -1, ties it to the rest.
    if extents.first == 0, !run.isEmpty { return Self.itemwise(inputs) }
    return inputs[0].isBatched ? .mixes(because: "it reshapes axis 0") : .constant
  }

  public var attributes: [Attribute] {
    [Attribute("to", extents.map(String.init).joined(separator: ","))]
      + (axis == 0 ? [] : [Attribute("axis", axis)])
      + (replacedAxes == -1 ? [] : [Attribute("axes", replacedAxes)])
  }

  private func replacedRun(of input: Shape) throws(ShapeError) -> Range<Int> {
    let first = axis < 0 ? axis + input.axes + 1 : axis
    guard first >= 0, first <= input.axes else {
      throw ShapeError("axis \(axis) of shape \(input)")
    }
    let last = replacedAxes == -1 ? input.axes : first + replacedAxes
    guard replacedAxes >= -1, last <= input.axes else {
      throw ShapeError("\(replacedAxes) axes from axis \(axis) of shape \(input)")
    }
    return first..<last
  }
}

/// Cuts a window of the second input's size out of the first, from `axis` on.
public struct Crop: Layer {
  /// The first axis that is cut; may count from the end.
  public var axis: Int
  /// Where the window begins: one for all cut axes, or one each; empty: 0.
  public var offsets: [Int]

  public init(axis: Int = 2, offsets: [Int] = []) {
    self.axis = axis
    self.offsets = offsets
  }

  public var typeName: String { "Crop" }
  public var inputCounts: ClosedRange<Int> { 2...2 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    let begins = try origin(for: inputs)
    let first = try inputs[0].canonicalAxis(axis)
    var result = inputs[0].extents
    for cut in first..<inputs[0].axes {
      let (end, overflow) = begins[cut].addingReportingOverflow(inputs[1][cut])
      guard begins[cut] >= 0, !overflow, end <= inputs[0][cut] else {
        throw ShapeError(
          "offset \(begins[cut]) and extent \(inputs[1][cut]) exceed \(inputs[0][cut]) "
            + "on axis \(cut)")
      }
      result[cut] = inputs[1][cut]
    }
    return [try Shape(result)]
  }

  /// Where the window begins on every axis of the first input.
  public func origin(for inputs: [Shape]) throws(ShapeError) -> [Int] {
    let first = try inputs[0].canonicalAxis(axis)
    guard inputs[1].axes == inputs[0].axes else {
      throw ShapeError("inputs \(inputs[0]) and \(inputs[1]) have different numbers of axes")
    }
    let cut = inputs[0].axes - first
    guard offsets.count <= 1 || offsets.count == cut else {
      throw ShapeError("\(offsets.count) offsets for \(cut) cut axes")
    }
    return (0..<inputs[0].axes).map { axis in
      if axis < first || offsets.isEmpty { return 0 }
      return offsets.count == 1 ? offsets[0] : offsets[axis - first]
    }
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    // The second input gives only its size.
    if axis == 0 || axis + inputs[0].shape.axes == 0 {
      return inputs[0].isBatched ? .mixes(because: "it crops axis 0") : .constant
    }
    return inputs[0].isBatched ? .perItem : .constant
  }

  public var attributes: [Attribute] {
    (axis == 2 ? [] : [Attribute("axis", axis)])
      + (offsets.isEmpty
        ? [] : [Attribute("offsets", offsets.map(String.init).joined(separator: ","))])
  }
}

/// The same values in the same shape: Dropout at test time, and whatever else does nothing.
public struct Identity: Layer {
  /// The layer type that this was.
  public var typeName: String

  public init(of typeName: String) { self.typeName = typeName }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] { inputs }
}

/// Copies a value into another layout; only the lowered graph has it.
public struct Repack: Layer {
  public init() {}

  public var typeName: String { "Repack" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] { inputs }
}
