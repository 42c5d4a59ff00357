/// The solver fields of Caffe's sparsifying forks, with their defaults.
public struct ForkFields: Hashable, Sendable {
  /// Strength of group lasso over rows (scnn).
  public var breadthDecay: Float = 0
  /// Strength of group lasso over columns (scnn).
  public var kernelShapeDecay: Float = 0
  /// Strength of group lasso over blocks (scnn).
  public var blockGroupDecay: Float = 0
  /// Whether groups are shrunk by the proximal step of their penalty instead of its sub-gradient (sparsec).
  public var usesProximalGroups = false
  /// Whether a row's group also holds what dies with the row: its bias, the normalisation behind it, and the same rows
  /// of what is added to it (sparsec).
  public var spansGroups = false
  /// Below which an L1 weight becomes zero (skim).
  public var pruneThreshold: Float = 1e-4
  /// Below which a weight counts as zero in reports (skim).
  public var measureThreshold: Float = 1e-4
  /// How far the gradient may move the threshold; below 2: not at all (skim).
  public var maximumThresholdFactor: Float = 1
  public var winogradSparsityFactor: Float = 0
  public var adjustsWinogradThreshold = true
  /// Force regularisation (sfm).
  public var forceDecay: Float = 0
  /// Until when network surgery goes on (dns-h); nil if not given.
  public var surgeryStop: Int?
  public var surgeryGamma: Float = 1e-4
  public var surgeryPower: Float = 1
  /// Whether each test sets pruned dense weights to zero for good, as dns-h does by mistake (sparsec).
  public var surgeryForgetsInTests = false

  public init() {}
}
