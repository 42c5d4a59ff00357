import IR

/// A net as the solver sees it.
public protocol TrainedNet: AnyObject {
  /// The arrays that are learned, each once, in the order of the layers that own them. Those that the solver never
  /// changes (rate factor 0) are among them.
  var parameters: [Parameter] { get }

  /// The net's outputs (tops that no layer reads) after the last forward pass, in the net's order, with the factor
  /// of each top in the objective.
  var outputs: [NetOutput] { get }

  /// Takes the next batch through the net.
  ///
  /// - Returns: the objective, the sum over all tops of loss weight times value.
  func forward() throws(Diagnostic) -> Float

  /// Adds the gradient of the objective to the parameters' gradients.
  ///
  /// - Precondition: `forward` ran before.
  func backward() throws(Diagnostic)

  /// What a later run needs beside parameters to go on bit by bit: positions of data sources and random states, by
  /// layer name.
  var state: [String: [UInt8]] { get }
  func restore(_ state: [String: [UInt8]]) throws(Diagnostic)

  /// The first layer whose output or parameter gradient is not a finite number after the last passes; nil if none is.
  var firstNonFinite: String? { get }
}

/// One output blob of a net.
public struct NetOutput: Hashable, Sendable {
  public var name: String
  public var values: [Float]
  public var lossWeight: Float

  public init(name: String, values: [Float], lossWeight: Float) {
    self.name = name
    self.values = values
    self.lossWeight = lossWeight
  }
}
