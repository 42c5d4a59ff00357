import IR

/// What happens in a training run, for those who watch it.
public enum TrainingEvent: Sendable {
  /// An update was made, or, behind the last one, a last look at the training loss taken.
  case iteration(IterationReport)
  case test(TestReport)
  /// How many weights are zero; with every displayed iteration, before its update, where a method makes zeros.
  case sparsity(iteration: Int, [ParameterSparsity])
  /// A method that drives a target looked where it stands, or fixed its zeros.
  case target(TargetReport)
  /// A snapshot is on disk; the path is that of its .solverstate.
  case snapshot(iteration: Int, path: String)
  case note(Diagnostic)
}

/// One iteration.
public struct IterationReport: Hashable, Sendable {
  /// Updates made before it.
  public var iteration: Int
  public var loss: Float
  /// The loss averaged over the last iterations (`average_loss`).
  public var smoothedLoss: Float
  /// The learning rate of its update; nil for a last look without one.
  public var rate: Float?
  /// Whether the solver asks for a line about it (`display`).
  public var isDisplayed: Bool
  /// The net's outputs, if it is displayed.
  public var outputs: [NetOutput] = []
  /// The sum of all penalties, if it is displayed.
  public var penalty: Double?
  public var clipping: Solver.Clipping?
  /// The steps that the rate policy has taken, if it took one now.
  public var newStep: Int?
}

/// One test: the mean of every output over the batches of the test.
public struct TestReport: Hashable, Sendable {
  /// Updates made before it.
  public var iteration: Int
  /// Which of the test nets.
  public var net: Int
  public var outputs: [NetOutput]
  /// The mean objective, if the solver asks for it (`test_compute_loss`).
  public var loss: Float?
}

/// How much of a learned array is zero; shares from 0 to 1, of the array as a matrix of `shape[0]` rows.
public struct ParameterSparsity: Hashable, Sendable {
  /// Tiles of one size, as the array's `block_group_lasso` names them.
  public struct Tiles: Hashable, Sendable {
    /// Columns and rows of a tile.
    public var width: Int
    public var height: Int
    /// Those that are exactly zero.
    public var share: Double
  }

  /// Lines and slices of a convolution's weights, seen as [outputs, inputs, places of the kernel], as SkimCaffe counts
  /// them.
  public struct Fibers: Hashable, Sendable {
    /// Lines along the outputs, the inputs, and the kernel.
    public var outputLines: Double
    public var inputLines: Double
    public var kernelLines: Double
    /// All of one output, one input, and one place of the kernel.
    public var outputSlices: Double
    public var inputSlices: Double
    public var kernelSlices: Double
  }

  public var layer: String
  public var index: Int
  public var slot: String
  public var count: Int
  /// The number of the array's axes.
  public var axes: Int
  /// Elements that are small in magnitude: below 1e-4, as scnn counts, or up to SkimCaffe's measure_threshold.
  public var elements: Double
  /// Columns that are exactly zero.
  public var columns: Double
  /// Rows that are exactly zero.
  public var rows: Double
  public var tiles: [Tiles] = []
  /// In the dialect of SkimCaffe, for arrays of four axes.
  public var fibers: Fibers?
  /// Points of the kernels' Winograd transforms up to measure_threshold (times how far a weight moves with the point, if
  /// winograd_adjust_threshold says so); in the dialect of SkimCaffe, for kernels of 3x3 and 5x5.
  public var winograd: Double?
}

/// Watches a training run.
public protocol TrainingObserver: AnyObject {
  /// Called on the thread that trains, between two steps of the run.
  func observe(_ event: TrainingEvent)
}

/// What somebody outside wants of a running training.
public enum TrainingRequest: Hashable, Sendable {
  /// Write a snapshot and go on.
  case snapshot
  /// Write a snapshot and stop.
  case stop
}
