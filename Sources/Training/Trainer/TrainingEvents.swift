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
  public var layer: String
  public var index: Int
  public var slot: String
  public var count: Int
  /// Elements below 1e-4 in magnitude, as scnn counts them.
  public var elements: Double
  /// Columns that are exactly zero.
  public var columns: Double
  /// Rows that are exactly zero.
  public var rows: Double
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
