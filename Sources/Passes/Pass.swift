import IR

/// What a pass did to one layer, or why it let it be.
public struct Finding: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// The layer is gone.
    case removed
    /// The layer's work is done by another layer, whose name this is.
    case fused(into: String)
    /// The layer stays, with less work to do or with other weights.
    case changed
    /// The layer stays as it is, although this pass was meant for its like.
    case kept
  }

  /// The layer's name.
  public var layer: String
  /// The layer's type in the user's file.
  public var type: String
  public var kind: Kind
  /// A clause: "it does nothing at test time".
  public var reason: String

  public init(layer: String, type: String, kind: Kind, reason: String) {
    self.layer = layer
    self.type = type
    self.kind = kind
    self.reason = reason
  }

  /// A finding about a node as it stands.
  public init(_ node: Node, _ kind: Kind, _ reason: String) {
    self.init(layer: node.name, type: node.sourceType, kind: kind, reason: reason)
  }
}

/// A pass could not do its work; a bug of ours or an arithmetic limit, never a user's wording.
public struct PassError: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// What a pass returns.
public struct PassOutcome: Sendable {
  public var graph: Graph
  public var findings: [Finding]
  /// Filters, channels and columns of weights that the pass removed.
  public var filters = 0
  public var channels = 0
  public var columns = 0
  /// Multiply-adds of one item, and bytes of parameters, that kernels leave out although the graph still
  /// has them.
  public var skippedMultiplyAdds = 0
  public var skippedBytes = 0

  public init(graph: Graph, findings: [Finding] = []) {
    self.graph = graph
    self.findings = findings
  }
}

/// A rewrite of a graph that does not change what the network computes.
public protocol Pass: Sendable {
  /// The name for `--disable-pass` and `--print-after`.
  var name: String { get }

  func run(_ graph: Graph) throws(PassError) -> PassOutcome
}
