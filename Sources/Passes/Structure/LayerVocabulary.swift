/// The layers that a structure pass may use in what it writes.
public enum LayerVocabulary: Hashable, Sendable {
  /// All layers of the IR: the network is going to be compiled.
  case everything
  /// Layers that Caffe has: no BorderBias, and no LRN that remembers removed channels. A Constant may be
  /// used, since Caffe's layers can make one.
  case caffe
}
