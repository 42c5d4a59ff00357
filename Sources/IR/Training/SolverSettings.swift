/// How a penalty on weights enters their gradient. Those of SkimCaffe also set weights to zero behind each update.
public enum Regularization: String, Hashable, Sendable, CaseIterable {
  /// strength * |W|; in SkimCaffe with a threshold
  case l1 = "L1"
  /// strength / 2 * W^2
  case l2 = "L2"
  /// L1, and soft thresholding (SkimCaffe).
  case softThreshold = "ISTA"
  /// L1 on thresholded weights, behind which dense ones live on (SkimCaffe).
  case l1WithSplicing = "L1_DNS"
  /// strength * |A w|, A w being the Winograd transform of a kernel w (SkimCaffe).
  case l1Winograd = "L1_Winograd"

  /// Whether Caffe itself has it.
  public var isPlain: Bool { self == .l1 || self == .l2 }
}

/// The rule by which gradients become updates.
public enum UpdateRule: Hashable, Sendable {
  case sgd
  case nesterov
  case adaGrad(delta: Float)
  case rmsProp(decay: Float, delta: Float)
  case adaDelta(delta: Float)
  case adam(momentum2: Float, delta: Float)

  /// `type` of a solver file.
  public var name: String {
    switch self {
    case .sgd: "SGD"
    case .nesterov: "Nesterov"
    case .adaGrad: "AdaGrad"
    case .rmsProp: "RMSProp"
    case .adaDelta: "AdaDelta"
    case .adam: "Adam"
    }
  }
}

/// How the learning rate follows the number of updates made.
public enum RatePolicy: Hashable, Sendable {
  case fixed
  /// base * gamma^floor(t / size)
  case step(gamma: Float, size: Int)
  /// base * gamma^t
  case exponential(gamma: Float)
  /// base * (1 + gamma * t)^-power
  case inverse(gamma: Float, power: Float)
  /// base * gamma^k, where k grows by at most one per iteration when t reaches steps[k]
  case multistep(gamma: Float, steps: [Int])
  /// base * (1 - t / max_iter)^power
  case polynomial(power: Float)
  /// base / (1 + exp(-gamma * (t - size)))
  case sigmoid(gamma: Float, size: Int)

  /// `lr_policy` of a solver file.
  public var name: String {
    switch self {
    case .fixed: "fixed"
    case .step: "step"
    case .exponential: "exp"
    case .inverse: "inv"
    case .multistep: "multistep"
    case .polynomial: "poly"
    case .sigmoid: "sigmoid"
    }
  }
}

/// Whose update rules apply where they differ.
public enum TrainingDialect: String, Hashable, Sendable, CaseIterable {
  case bvlc
  case scnn
  case skim
  case dnsOriginal = "dns-y"
  case dnsAgain = "dns-h"
}

/// What a solver file says about training, apart from the nets.
public struct SolverSettings: Hashable, Sendable {
  public enum SnapshotFormat: String, Hashable, Sendable {
    case binary = "BINARYPROTO"
    case hdf5 = "HDF5"
  }

  /// What is tested: one test net's share of the solver's fields.
  public struct Test: Hashable, Sendable {
    /// Batches of one test.
    public var iterations: Int

    public init(iterations: Int) { self.iterations = iterations }
  }

  public var dialect = TrainingDialect.bvlc
  public var rule = UpdateRule.sgd
  public var momentum: Float = 0
  public var baseRate: Float = 0
  public var policy = RatePolicy.fixed
  /// The number of updates at which training ends.
  public var maximumIterations = 0
  public var weightDecay: Float = 0
  public var regularization = Regularization.l2
  /// The most that the Euclidean norm of all gradients together may be; nil for no limit.
  public var clipGradients: Float?
  /// Batches whose gradients are added up for one update.
  public var batchesPerUpdate = 1
  /// Over how many iterations the shown loss is averaged.
  public var averageLoss = 1
  /// Iterations between two lines of the log; 0 for none.
  public var display = 0
  public var tests: [Test] = []
  /// Updates between two tests; 0 for none.
  public var testInterval = 0
  /// Whether to test before the first update.
  public var testsFirst = true
  public var testComputesLoss = false
  /// Updates between two snapshots; 0 for none but the last.
  public var snapshotInterval = 0
  public var snapshotPrefix = ""
  public var snapshotFormat = SnapshotFormat.binary
  public var snapshotsAfterTraining = true
  /// Whether snapshots hold gradients too.
  public var snapshotsGradients = false
  /// nil: a different run every time.
  public var randomSeed: UInt64?
  public var debugInfo = false
  /// What forks of Caffe say about sparsity.
  public var forkFields = ForkFields()

  public init() {}
}
