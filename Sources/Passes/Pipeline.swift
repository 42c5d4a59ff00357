/// The passes in order; each line says why it stands there.
public enum Pipeline {
  public static let standard: [any Pass] = [
    // First, so that nobody else has to look through layers that do nothing.
    RemoveIdentities(),
    // Pooling, Flatten and Concat have kernels; the pyramid needs none of its own.
    ExpandPyramidPooling(),
    // Before activations are fused: a normalisation stands between a convolution and its activation.
    FoldNormalizations(),
    // Last, when each activation follows the layer whose result it changes.
    FuseActivations(),
  ]

  /// The names of all passes, for messages.
  public static var names: [String] { standard.map(\.name) }
}
