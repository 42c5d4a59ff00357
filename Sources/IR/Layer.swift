/// One named property of a layer, as the text dump prints it.
public struct Attribute: Hashable, Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  public init(_ name: String, _ value: Int) { self.init(name, String(value)) }
  public init(_ name: String, _ value: Float) { self.init(name, "\(value)") }
}

/// A learned array that a layer owns.
public struct ParameterSlot: Hashable, Sendable {
  /// What it is: `weights`, `bias`, `mean`…
  public var name: String
  public var shape: Shape
  public var domain: WeightDomain

  public init(_ name: String, _ shape: Shape, domain: WeightDomain = .plain) {
    self.name = name
    self.shape = shape
    self.domain = domain
  }
}

/// What learned numbers are.
public enum WeightDomain: Hashable, Sendable {
  /// What the layer multiplies by.
  case plain
  /// Transforms of square kernels of this extent, [filters, channels / groups, M, M] (`WinogradDomain`).
  case winograd(kernel: Int)
}

/// A layer's input as batch analysis sees it.
public struct BatchedShape: Hashable, Sendable {
  public var shape: Shape
  /// Whether axis 0 counts the items of a batch.
  public var isBatched: Bool

  public init(_ shape: Shape, isBatched: Bool) {
    self.shape = shape
    self.isBatched = isBatched
  }
}

/// How a layer treats axis 0.
public enum BatchRule: Hashable, Sendable {
  /// Each item of the batch is treated alone, and axis 0 of every output counts items again.
  case perItem
  /// No input has a batch axis, neither have the outputs.
  case constant
  /// Items meet; the reason is a clause such as "it concatenates along axis 0".
  case mixes(because: String)
}

/// One type of layer: its parameters, its shape rule and its line in a dump.
public protocol Layer: Hashable, Sendable {
  /// The layer type's name, as in a prototxt.
  var typeName: String { get }

  /// The numbers of inputs it accepts.
  var inputCounts: ClosedRange<Int> { get }

  /// The shapes of the outputs, in order, or why the inputs do not fit.
  ///
  /// - Precondition: the number of inputs is in `inputCounts`.
  func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape]

  /// The learned arrays, in the order in which weight files hold them.
  func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot]

  /// Whether items of a batch stay apart.
  func batchRule(for inputs: [BatchedShape]) -> BatchRule

  /// Properties for the dump, in a fixed order, without those at their usual value.
  var attributes: [Attribute] { get }

  /// Multiply-add operations of a dense evaluation.
  func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int
}

extension Layer {
  public var inputCounts: ClosedRange<Int> { 1...1 }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] { [] }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule { Self.itemwise(inputs) }

  public var attributes: [Attribute] { [] }

  public func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int { 0 }

  /// The rule of layers that leave axis 0 alone: all inputs have a batch axis, or none has.
  public static func itemwise(_ inputs: [BatchedShape]) -> BatchRule {
    let batched = inputs.count { $0.isBatched }
    if batched == 0 { return .constant }
    if batched == inputs.count { return .perItem }
    return .mixes(because: "it combines a blob of one item with one of the whole batch")
  }

  /// The rule of layers that work along `axis`: as `itemwise`, unless the axis is the batch's.
  public static func itemwise(_ inputs: [BatchedShape], workingAlong axis: Int, _ what: String)
    -> BatchRule
  {
    let touches = inputs.contains { input in
      input.isBatched && (axis == 0 || axis + input.shape.axes == 0)
    }
    return touches ? .mixes(because: "it \(what) axis 0") : itemwise(inputs)
  }
}
