/// Adds to every channel a bias that depends on where in the image an element lies.
///
/// What constant channels contribute to a convolution behind zero padding: near a border fewer taps meet
/// them. Positions with the same bias form a class, per spatial axis; the bias of an element is that of its
/// channel and of the classes of its coordinates.
///
/// Input [N, C, spatial...]; parameter: bias [C, classes of each spatial axis...].
public struct BorderBias: Layer {
  /// For every spatial axis the class of each position; classes count from 0 without gaps.
  public var classes: [[Int]]
  /// Applied to the result by the same kernel; set by the fusion pass.
  public var activation: ElementwiseFunction?

  public init(classes: [[Int]], activation: ElementwiseFunction? = nil) {
    self.classes = classes
    self.activation = activation
  }

  public var typeName: String { "BorderBias" }

  /// The number of classes along each spatial axis.
  public var counts: [Int] { classes.map { ($0.max() ?? -1) + 1 } }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].axes >= 2, Array(inputs[0].extents[2...]) == classes.map(\.count) else {
      throw ShapeError(
        "classes for positions \(classes.map(\.count)), but the input is \(inputs[0])")
    }
    for axis in classes where Set(axis) != Set(0..<(axis.max() ?? -1) + 1) {
      throw ShapeError("classes of positions with gaps between them")
    }
    return inputs
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    [ParameterSlot("bias", try Shape([inputs[0][1]] + counts))]
  }

  public var attributes: [Attribute] {
    [Attribute("classes", classes.map(Self.runs).joined(separator: " "))]
      + (activation.map { [Attribute("activation", $0.typeName)] + $0.attributes } ?? [])
  }

  /// `0x2,1x9`: class 0 twice, class 1 nine times.
  private static func runs(_ classes: [Int]) -> String {
    var runs: [(value: Int, length: Int)] = []
    for value in classes {
      if runs.last?.value == value {
        runs[runs.count - 1].length += 1
      } else {
        runs.append((value, 1))
      }
    }
    return runs.map { "\($0.value)x\($0.length)" }.joined(separator: ",")
  }
}

/// The same values for every item, whatever the input holds: what is left of layers whose result does not
/// depend on the image.
///
/// The input only tells how many items there are. Input [N, ...]; output [N] + `extents`; parameter:
/// values of the shape `extents`.
public struct Constant: Layer {
  /// The extents of one item.
  public var extents: [Int]

  public init(extents: [Int]) { self.extents = extents }

  public var typeName: String { "Constant" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].axes >= 1 else { throw ShapeError("an input without items") }
    return [try Shape([inputs[0][0]] + extents)]
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    [ParameterSlot("values", try Shape(extents))]
  }

  public var attributes: [Attribute] {
    [Attribute("item", extents.map(String.init).joined(separator: "x"))]
  }
}
