import IR

/// Where training stands, as methods see it.
public struct TrainingProgress: Hashable, Sendable {
  /// Updates made.
  public var iteration: Int
  /// The update at which training ends.
  public var maximumIterations: Int
  /// The learning rate of this iteration; of the last one until it is known.
  public var rate: Float
  /// Whether the norm of all gradients is limited.
  public var clipsGradients: Bool
}

/// A method that makes weights zero, or keeps them so: masks and thresholds.
///
/// One iteration calls its hooks in this order: `beginIteration`; for each batch `beforeForward` and
/// `afterBackward`; `beginUpdate`; for every piece of every parameter `limitUpdate` before and `finishUpdate` after the update is
/// subtracted; `endIteration`. Test passes are framed by `beforeTest` and `afterTest`. Everything that it remembers
/// between iterations is in `state`, its masks and the parameters' values.
public protocol Sparsifier: AnyObject {
  /// The name under which snapshots keep its state.
  var name: String { get }

  /// Before anything of an iteration.
  func beginIteration(_ progress: TrainingProgress)
  /// Before each forward pass; it may put masked weights in place of dense ones.
  func beforeForward(_ progress: TrainingProgress)
  /// After each backward pass; it may put dense weights back, and change gradients.
  func afterBackward(_ progress: TrainingProgress)
  func beforeTest()
  func afterTest()

  /// Before the parameters are updated, when gradients and learning rate are known.
  func beginUpdate(_ progress: TrainingProgress)
  /// Changes elements of an update, which stands in the parameter's gradient. Called from several threads.
  func limitUpdate(of parameter: Parameter, index: Int, range: Range<Int>)
  /// Changes elements of the values that were just updated; the update still stands in the gradient. Called from
  /// several threads.
  func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>)
  /// After all parameters were updated.
  func endIteration(_ progress: TrainingProgress)

  /// Which elements of a parameter may differ from zero; nil if none is masked.
  func mask(of index: Int) -> [Bool]?
  /// Whether masked weights live on out of sight, so that they differ from zero between iterations.
  var hidesDenseWeights: Bool { get }

  /// Takes over the mask that a file of trained weights has for a parameter.
  ///
  /// - Returns: whether it does; a mask that no method takes stays fixed.
  func adopt(_ mask: [Bool], of index: Int) -> Bool

  /// What it remembers beside masks.
  var state: [UInt8] { get }

  /// What `state` is now, put into bytes only when that is asked for: the trainer takes one with every iteration.
  func deferredState() -> () -> [UInt8]

  /// Goes on from `state` and its masks, by parameter.
  ///
  /// - Throws: if they are not such as this method keeps.
  func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic)
}

extension Sparsifier {
  public func beginIteration(_ progress: TrainingProgress) {}
  public func beforeForward(_ progress: TrainingProgress) {}
  public func afterBackward(_ progress: TrainingProgress) {}
  public func beforeTest() {}
  public func afterTest() {}
  public func beginUpdate(_ progress: TrainingProgress) {}
  public func limitUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {}
  public func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {}
  public func endIteration(_ progress: TrainingProgress) {}
  public func mask(of index: Int) -> [Bool]? { nil }
  public var hidesDenseWeights: Bool { false }
  public func adopt(_ mask: [Bool], of index: Int) -> Bool { false }
  public var state: [UInt8] { [] }
  public func deferredState() -> () -> [UInt8] {
    let bytes = state
    return { bytes }
  }
  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {}
}
