/// How a learned array starts.
public enum Filler: Hashable, Sendable {
  /// What a variance is divided by: inputs of one output, outputs of one input, or their mean.
  public enum Fan: String, Hashable, Sendable {
    case fanIn = "FAN_IN"
    case fanOut = "FAN_OUT"
    case average = "AVERAGE"
  }

  case constant(Float)
  case uniform(low: Float, high: Float)
  /// `sparse`: how many inputs of each output keep their weight on average; nil for all.
  case gaussian(mean: Float, deviation: Float, sparse: Int?)
  /// Every row is positive and sums to 1.
  case positiveUnitBall
  /// uniform in +-sqrt(3 / n)
  case xavier(Fan)
  /// gaussian with deviation sqrt(2 / n)
  case msra(Fan)
  /// Upsampling weights of a Deconvolution.
  case bilinear
}

/// A learned array of a layer, and how training treats it.
public struct TrainingParameter: Hashable, Sendable {
  public var slot: ParameterSlot
  public var filler: Filler
  /// Layers whose arrays have one name share them; empty for none.
  public var sharedName = ""
  /// Whether sharers need only agree in the number of elements (share_mode PERMISSIVE).
  public var sharesByCount = false
  /// Factor of the learning rate; 0: fixed.
  public var rateFactor: Float = 1
  /// Factor of the weight decay.
  public var decayFactor: Float = 1
  /// nil: the solver's.
  public var regularization: Regularization?
  /// What the forks' fields say about zeros in it.
  public var sparsity = SparsityFields()

  public init(slot: ParameterSlot, filler: Filler) {
    self.slot = slot
    self.filler = filler
  }
}

/// What a layer of a net that is trained or tested does.
public enum TrainingOperation: Hashable, Sendable {
  /// As in the compiled net, on all bottoms together.
  case operation(Operation)
  /// As in the compiled net, on each bottom by itself with the same parameters.
  case operationPerBottom(Operation)
  /// `fraction`: what moving averages keep at each step. `usesStored`: whether to normalise by them instead of the
  /// batch's statistics.
  case batchNorm(BatchNorm, fraction: Float, usesStored: Bool)
  /// Each value survives with probability 1 - ratio and is scaled by 1 / (1 - ratio); in tests nothing happens.
  case dropout(ratio: Float)
  /// Samples one value of each window with a probability proportional to it; in tests sum x^2 / sum x.
  case stochasticPooling(Pooling)
  case loss(Loss)
  case accuracy(Accuracy)
  case data(DataSource)
}

/// The objective that a layer computes; the label is the last bottom but for `contrastive` (a, b, similarity) and
/// `infogain` with three bottoms (scores, label, matrix).
public enum Loss: Hashable, Sendable {
  /// By what a sum over positions is divided.
  public enum Normalization: String, Hashable, Sendable {
    case full = "FULL"
    case valid = "VALID"
    case batchSize = "BATCH_SIZE"
    case none = "NONE"
  }

  case softmax(axis: Int, Normalization, ignoredLabel: Int?)
  case euclidean
  case hinge(squared: Bool)
  case sigmoidCrossEntropy(Normalization, ignoredLabel: Int?)
  case multinomialLogistic
  /// `matrix`: [classes, classes] row-major, nil if it is the third bottom.
  case infogain(matrix: [Float]?, axis: Int, Normalization, ignoredLabel: Int?)
  case contrastive(margin: Float, legacy: Bool)
}

/// Top 0: the share of positions whose label is among the `top` best; top 1, if there is one: the same per class.
public struct Accuracy: Hashable, Sendable {
  public var top: Int
  public var axis: Int
  public var ignoredLabel: Int?
  /// Whether of equal scores the larger index counts as better (the older forks) instead of the label as worse.
  public var tiesGoToLarger: Bool

  public init(top: Int = 1, axis: Int = 1, ignoredLabel: Int? = nil, tiesGoToLarger: Bool = false) {
    self.top = top
    self.axis = axis
    self.ignoredLabel = ignoredLabel
    self.tiesGoToLarger = tiesGoToLarger
  }
}

/// One layer of a net that is trained or tested.
public struct TrainingLayer: Hashable, Sendable {
  public var name: String
  /// The type as the prototxt says it.
  public var typeName: String
  public var operation: TrainingOperation
  public var bottoms: [String]
  /// A top of a bottom's name is computed in place: later layers see the new contents.
  public var tops: [String]
  public var inputShapes: [Shape]
  public var outputShapes: [Shape]
  public var parameters: [TrainingParameter]
  /// Factor of each top's sum in the objective.
  public var lossWeights: [Float]
  /// Whether gradients reach each bottom; nil: as needed.
  public var propagatesDown: [Bool]?
  public var location: SourceLocation?

  public init(
    name: String, typeName: String, operation: TrainingOperation, bottoms: [String],
    tops: [String], inputShapes: [Shape], outputShapes: [Shape],
    parameters: [TrainingParameter] = [], lossWeights: [Float]? = nil,
    propagatesDown: [Bool]? = nil, location: SourceLocation? = nil
  ) {
    self.name = name
    self.typeName = typeName
    self.operation = operation
    self.bottoms = bottoms
    self.tops = tops
    self.inputShapes = inputShapes
    self.outputShapes = outputShapes
    self.parameters = parameters
    self.lossWeights = lossWeights ?? [Float](repeating: 0, count: tops.count)
    self.propagatesDown = propagatesDown
    self.location = location
  }

  /// The top of a loss that names none: it counts in the objective, and is no output.
  public static func automaticTop(of layer: String) -> String { automaticPrefix + layer }

  /// Whether nobody but the reader of a net named a top.
  public static func isAutomatic(_ top: String) -> Bool { top.hasPrefix(automaticPrefix) }

  private static let automaticPrefix = "(automatic) "

  /// `layer "conv1" (Convolution)`, as messages name it.
  public var title: String { "layer \"\(name)\" (\(typeName))" }
}

/// A net for one phase, with all shapes known, in the order in which layers run.
public struct TrainingNet: Hashable, Sendable {
  public enum Phase: String, Hashable, Sendable {
    case train = "TRAIN"
    case test = "TEST"
  }

  public var name: String
  public var phase: Phase
  public var layers: [TrainingLayer]
  /// Whether all gradients are computed, needed or not (force_backward).
  public var forcesBackward: Bool
  public var debugInfo: Bool

  public init(
    name: String, phase: Phase, layers: [TrainingLayer], forcesBackward: Bool = false,
    debugInfo: Bool = false
  ) {
    self.name = name
    self.phase = phase
    self.layers = layers
    self.forcesBackward = forcesBackward
    self.debugInfo = debugInfo
  }
}
