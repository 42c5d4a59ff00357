import IR

/// Keeps weights zero that are zero: fine-tuning with a fixed structure.
public final class FixedMasks: Sparsifier {
  static let name = "fixed masks"

  private let parameters: [Parameter]
  private var masks: ParameterMasks

  /// - Parameter masks: for each parameter which elements may differ from zero; nil for all.
  public init(_ masks: [[Bool]?], of parameters: [Parameter]) {
    self.parameters = parameters
    self.masks = ParameterMasks(masks, of: parameters)
    applyToValues()
  }

  /// Masks that keep what is zero now in the weights of Convolution and InnerProduct.
  static func zeros(of parameters: [Parameter], in net: TrainingNet) -> [[Bool]?] {
    parameters.map { net.isPrunable($0) ? $0.values.map { $0 != 0 } : nil }
  }

  /// Keeps what is zero now in the weights of Convolution and InnerProduct.
  public static func keepingZeros(of parameters: [Parameter], in net: TrainingNet) -> FixedMasks {
    FixedMasks(zeros(of: parameters, in: net), of: parameters)
  }

  /// Keeps zero what these masks have as zero, too.
  func add(_ others: [[Bool]?]) {
    for (index, other) in others.enumerated() {
      guard let other else { continue }
      masks[index] = masks[index].map { zip($0, other).map { $0 && $1 } } ?? other
    }
    applyToValues()
  }

  private func applyToValues() {
    for (index, parameter) in parameters.enumerated() {
      masks.apply(to: parameter.values, of: index)
    }
  }

  public var name: String { Self.name }

  /// Gradients of what stays zero do not count for their norm.
  public func afterBackward(_ progress: TrainingProgress) {
    guard progress.clipsGradients else { return }
    for (index, parameter) in parameters.enumerated() {
      masks.apply(to: parameter.gradient, of: index)
    }
  }

  public func limitUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    masks.apply(to: parameter.gradient, of: index, range: range)
  }

  public func mask(of index: Int) -> [Bool]? { masks[index] }

  public var state: [UInt8] { masks.state }

  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    self.masks = try self.masks.replaced(by: masks, state, parameters: parameters)
    applyToValues()
  }
}
