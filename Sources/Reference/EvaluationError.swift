/// Why a graph could not be evaluated on the values it was given.
public struct EvaluationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The layer that failed; nil if it was the network's inputs.
  public var layer: String?
  /// One clause without a final full stop.
  public var message: String

  public init(layer: String? = nil, _ message: String) {
    self.layer = layer
    self.message = message
  }

  public var description: String { layer.map { "layer \($0): \(message)" } ?? message }
}
