/// Passes that belong together.
public struct PassStage: Sendable {
  public var passes: [any Pass]
  /// Whether the passes run again, in order, until none changes the graph: each may make work for the
  /// others.
  public var repeats: Bool

  public init(_ passes: [any Pass], repeats: Bool = false) {
    self.passes = passes
    self.repeats = repeats
  }
}

/// The passes in order; each line says why it stands there.
public enum Pipeline {
  public static let standard: [PassStage] = [
    PassStage([
      // First, so that nobody else has to look through layers that do nothing.
      RemoveIdentities(),
      // Pooling, Flatten and Concat have kernels; the pyramid needs none of its own.
      ExpandPyramidPooling(),
    ]),
    // On the layers as the file has them, so that constants are rounded where the network rounds them.
    structure(vocabulary: .everything),
    PassStage([
      // Before activations are fused: a normalisation stands between a convolution and its activation.
      FoldNormalizations(),
      // When each activation follows the layer whose result it changes.
      FuseActivations(),
      // Counts what kernels will leave out of the weights that are final now.
      SqueezeColumns(),
      // Behind the activations, which it hands from the sum to the convolution, and behind all that takes a
      // convolution for nothing but weights.
      FuseSums(),
    ]),
  ]

  /// What removes zero filters, channels, columns and layers without changing the results.
  public static func structure(vocabulary: LayerVocabulary) -> PassStage {
    PassStage(
      [
        // First, so that as many channels and branches as possible are read by nobody.
        FoldConstantChannels(vocabulary: vocabulary),
        SkipConstantBranches(vocabulary: vocabulary),
        // Behind them: it removes what they no longer read.
        DropUnreadChannels(vocabulary: vocabulary),
        // A block that vanished leaves its ReLU behind that of the block before.
        RemoveRepeatedActivations(),
      ], repeats: true)
  }

  /// The names of all passes, for messages.
  public static var names: [String] { standard.flatMap(\.passes).map(\.name) }
}
