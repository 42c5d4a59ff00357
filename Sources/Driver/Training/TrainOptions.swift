import IR
import Training

/// What `sparsec train` was asked for.
public struct TrainOptions: Sendable {
  /// The form of a log.
  public enum LogStyle: String, CaseIterable, Sendable {
    case caffe, json
  }

  /// The solver's prototxt.
  public var solver: String
  /// Caffemodels to start from, found by layer name; of several the last one that has a layer wins.
  public var weights: [String] = []
  /// The .solverstate to go on from.
  public var snapshot: String?
  public var threads = 1
  /// nil: the solver's, or a different one every time.
  public var seed: UInt64?
  /// In place of the solver's max_iter.
  public var iterations: Int?
  /// nil: as the files tell.
  public var dialect: TrainingDialect?
  /// Whether weights that are zero in `weights` stay zero.
  public var keepsZeros = false
  public var log: String?
  /// nil without a log: lines for people.
  public var logStyle: LogStyle?
  /// The zeros to reach; nil for none.
  public var target: SparsityTarget?
  /// How snapshots tell which weights are masked.
  public var maskFormat = MaskFormat.own

  public init(solver: String) { self.solver = solver }
}
