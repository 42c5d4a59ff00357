/// Which updates a layer lets through once trained weights were loaded (scnn, SkimCaffe).
public enum Connectivity: String, Hashable, Sendable {
  /// All.
  case connected = "CONNECTED"
  /// Those of weights that are not zero.
  case elementwise = "DISCONNECTED_ELTWISE"
  /// Those of weights in rows and columns, within each group of a convolution, that are not zero.
  case groupwise = "DISCONNECTED_GRPWISE"
}

/// How network surgery treats a layer.
public enum Surgery: Hashable, Sendable {
  /// Guo, Yao and Chen 2016, in their own code (dns-y): surgery happens in a forward pass of update t with probability
  /// (1 + gamma t)^-power while t < stop; weights are pruned below 0.9 T and spliced above 1.1 T,
  /// T = mean + rate * deviation of the magnitudes at the start.
  case original(gamma: Float, power: Float, stop: Float, rate: Float)
  /// The reimplementation (dns-h): weights within `threshold` standard deviations of their mean are pruned.
  case reimplemented(threshold: Float)
}

/// What a net says about making one of its learned arrays sparse, in the fields of Caffe's forks.
public struct SparsityFields: Hashable, Sendable {
  /// Tiles of an array seen as a matrix of `shape[0]` rows (`block_group_lasso`).
  public struct Block: Hashable, Sendable {
    /// Columns of a tile.
    public var width: Int
    /// Rows of a tile.
    public var height: Int
    /// Factor of the solver's `block_group_decay`.
    public var factor: Float

    public init(width: Int, height: Int, factor: Float) {
      self.width = width
      self.height = height
      self.factor = factor
    }
  }

  public var blocks: [Block] = []
  /// Factor of the solver's `breadth_decay`, which acts on rows.
  public var rowFactor: Float = 0
  /// Factor of the solver's `kernel_shape_decay`, which acts on columns within each group of a convolution.
  public var columnFactor: Float = 0
  /// Factors of the weight decay, one for each weight (`decay_proto`).
  public var decayFactors: Tensor?
  public var connectivity = Connectivity.connected
  public var surgery: Surgery?

  public init() {}
}
