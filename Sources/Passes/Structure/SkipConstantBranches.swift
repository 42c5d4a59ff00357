import IR

/// Takes constant inputs out of Eltwise layers: what is left is a bias, a scale, or nothing.
public struct SkipConstantBranches: Pass {
  public let name = "skip-constant-branches"
  public let vocabulary: LayerVocabulary

  public init(vocabulary: LayerVocabulary = .everything) { self.vocabulary = vocabulary }

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome { PassOutcome(graph: graph) }
}
