/// Everything that a later run needs to go on from here, bit by bit: what a pair of .caffemodel and .solverstate
/// holds.
public struct Snapshot: Hashable, Sendable {
  /// A learned array of a layer.
  public struct LearnedArray: Hashable, Sendable {
    /// The values that the net computes with, masks applied.
    public var tensor: Tensor
    /// Which elements may differ from zero, one for each; nil if nothing is masked.
    public var mask: [Bool]?
    /// What the solver left in the gradient; only if snapshots hold gradients.
    public var gradient: Tensor?
    /// Whether an earlier layer owns the array.
    public var isShared: Bool

    public init(
      _ tensor: Tensor, mask: [Bool]? = nil, gradient: Tensor? = nil, isShared: Bool = false
    ) {
      self.tensor = tensor
      self.mask = mask
      self.gradient = gradient
      self.isShared = isShared
    }
  }

  /// A layer and its learned arrays in Caffe's order.
  public struct Layer: Hashable, Sendable {
    public var name: String
    /// The type as the prototxt says it.
    public var type: String
    public var arrays: [LearnedArray]

    public init(name: String, type: String, arrays: [LearnedArray]) {
      self.name = name
      self.type = type
      self.arrays = arrays
    }
  }

  /// Values behind a mask that are not zero: a method may let masked weights live on out of sight.
  public struct DenseArray: Hashable, Sendable {
    public var layer: String
    public var index: Int
    public var tensor: Tensor

    public init(layer: String, index: Int, tensor: Tensor) {
      self.layer = layer
      self.index = index
      self.tensor = tensor
    }
  }

  public var netName: String
  /// Updates made.
  public var iteration: Int
  /// The steps that a learning rate policy with steps has taken.
  public var currentStep: Int
  /// The solver's memory in Caffe's order: one array per parameter, then, if the rule keeps two, the second of each.
  public var history: [Tensor]
  /// All layers of the net in its order, those without learned arrays included.
  public var layers: [Layer]
  public var denseArrays: [DenseArray] = []
  /// Positions of data sources and random states by net and layer (`train/data`, `test 0/data`).
  public var netState: [String: [UInt8]] = [:]
  /// What sparsifying methods remember, by method.
  public var methodState: [String: [UInt8]] = [:]

  private static let rateScaleName = "solver/rate scale"

  /// What the policy's learning rate is multiplied by: 1, or less after a run was rolled back. Kept with `netState`.
  public var rateScale: Float {
    get {
      guard let bytes = netState[Self.rateScaleName], bytes.count == 4 else { return 1 }
      return Float(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
    set {
      netState[Self.rateScaleName] =
        newValue == 1
        ? nil
        : (0..<4).map { UInt8(truncatingIfNeeded: newValue.bitPattern >> UInt32(8 * $0)) }
    }
  }

  public init(
    netName: String, iteration: Int, currentStep: Int = 0, history: [Tensor] = [],
    layers: [Layer] = []
  ) {
    self.netName = netName
    self.iteration = iteration
    self.currentStep = currentStep
    self.history = history
    self.layers = layers
  }
}
