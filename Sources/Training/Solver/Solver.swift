import IR

/// Makes updates: gradients of batches, limits, penalties, the update rule, and the methods that make weights zero.
public final class Solver {
  /// What one iteration showed.
  public struct Step: Hashable, Sendable {
    /// The mean objective of the iteration's batches.
    public var loss: Float
    public var rate: Float
    /// The sum of all penalties; nil if it was not asked for.
    public var penalty: Double?
    /// The norm of all gradients and the factor that brought it to the limit, if it was above.
    public var clipping: Clipping?
  }

  /// A limit on gradients at work.
  public struct Clipping: Hashable, Sendable {
    /// The Euclidean norm of all gradients together.
    public var norm: Float
    /// What all gradients were multiplied by.
    public var factor: Float
  }

  public let settings: SolverSettings
  public let parameters: [Parameter]
  /// Updates made.
  public internal(set) var iteration = 0
  /// Steps that the rate policy has taken.
  public internal(set) var currentStep = 0
  /// What the policy's rate is multiplied by; less than 1 after a run was rolled back.
  public internal(set) var rateScale: Float = 1

  let memory: SolverMemory
  private(set) var sparsifiers: [any Sparsifier]
  private let optimizer: any Optimizer
  private let regularizers: [any Regularizer]
  private let loop: ElementLoop
  /// Whether the last update left zeros in all gradients.
  private var gradientsAreClear = false

  /// - Parameters:
  ///   - parameters: of the net that is trained.
  ///   - regularizers: penalties beside weight decay.
  ///   - sparsifiers: methods that make weights zero, in the order in which they act; the zero-out of the scnn
  ///     dialect is added behind them.
  ///   - threads: how many share the work on large arrays; the values do not depend on it.
  public init(
    settings: SolverSettings, parameters: [Parameter], regularizers: [any Regularizer] = [],
    sparsifiers: [any Sparsifier] = [], threads: Int = 1
  ) {
    self.settings = settings
    self.parameters = parameters
    self.regularizers =
      [WeightDecay(strength: settings.weightDecay, usual: settings.regularization)]
      + regularizers
    self.sparsifiers = sparsifiers + (settings.dialect == .scnn ? [ZeroOut()] : [])
    optimizer = settings.rule.optimizer
    memory = SolverMemory(for: parameters, perParameter: optimizer.historyCount)
    loop = ElementLoop(threads: threads)
  }

  /// Adds a method that acts before the others.
  func add(_ sparsifier: any Sparsifier) { sparsifiers.insert(sparsifier, at: 0) }

  /// One iteration: the gradients of `batchesPerUpdate` batches, and the update that they make.
  ///
  /// - Parameters:
  ///   - reportsPenalty: whether the sum of all penalties is wanted.
  ///   - check: looks at the loss when all gradients are there and no value has changed; if it throws, none does.
  /// - Throws: what the net, its data or `check` throw.
  public func step(
    _ net: any TrainedNet, reportsPenalty: Bool = false,
    check: (Float) throws(Diagnostic) -> Void = { (_) throws(Diagnostic) in }
  ) throws(Diagnostic) -> Step {
    clearGradients()
    for sparsifier in sparsifiers { sparsifier.beginIteration(progress(rate: 0)) }
    var loss: Float = 0
    for _ in 0..<settings.batchesPerUpdate { loss += try pass(net) }
    loss /= Float(settings.batchesPerUpdate)
    try check(loss)
    return update(loss: loss, reportsPenalty: reportsPenalty)
  }

  /// The objective of one more batch, without an update.
  func look(_ net: any TrainedNet) throws(Diagnostic) -> Float {
    for sparsifier in sparsifiers { sparsifier.beforeTest() }
    defer { for sparsifier in sparsifiers.reversed() { sparsifier.afterTest() } }
    return try net.forward()
  }

  /// Which elements of a parameter may differ from zero by all methods together; nil if none is masked.
  func mask(of index: Int) -> [Bool]? {
    sparsifiers.lazy.compactMap { $0.mask(of: index) }.reduce(nil) { (result: [Bool]?, mask) in
      result.map { zip($0, mask).map { $0 && $1 } } ?? mask
    }
  }

  /// One batch forward and backward. Whatever happens, dense weights are in place again afterwards.
  private func pass(_ net: any TrainedNet) throws(Diagnostic) -> Float {
    let progress = progress(rate: 0)
    for sparsifier in sparsifiers { sparsifier.beforeForward(progress) }
    defer { for sparsifier in sparsifiers.reversed() { sparsifier.afterBackward(progress) } }
    let loss = try net.forward()
    try net.backward()
    return loss
  }

  /// Makes an update of the gradients that the parameters hold: the second half of `step`.
  public func update(loss: Float = 0, reportsPenalty: Bool = false) -> Step {
    let rate =
      rateScale
      * settings.policy.rate(
        base: settings.baseRate, iteration: iteration, step: &currentStep,
        maximumIterations: settings.maximumIterations)
    let clipping = clipGradients()
    for sparsifier in sparsifiers { sparsifier.beginUpdate(progress(rate: rate)) }
    for regularizer in regularizers { regularizer.prepare(parameters) }
    var penalty = 0.0
    for index in parameters.indices {
      penalty += update(parameters[index], index, rate: rate, reportsPenalty: reportsPenalty)
    }
    gradientsAreClear = !settings.snapshotsGradients
    for sparsifier in sparsifiers { sparsifier.endIteration(progress(rate: rate)) }
    iteration += 1
    return Step(
      loss: loss, rate: rate, penalty: reportsPenalty ? penalty : nil, clipping: clipping)
  }

  private func progress(rate: Float) -> TrainingProgress {
    TrainingProgress(
      iteration: iteration, maximumIterations: settings.maximumIterations, rate: rate,
      clipsGradients: settings.clipGradients != nil)
  }

  private func clearGradients() {
    if gradientsAreClear { return }
    for parameter in parameters { parameter.gradient.update(repeating: 0) }
  }

  /// Scales all gradients down if their norm exceeds the limit, before they are divided by the number of batches.
  private func clipGradients() -> Clipping? {
    guard let limit = settings.clipGradients else { return nil }
    var squares = 0.0
    for parameter in parameters {
      guard let gradient = parameter.gradient.baseAddress else { continue }
      squares += loop.sum(parameter.count) {
        Sums.squares(gradient + $0.lowerBound, $0.count)
      }
    }
    let norm = Float(squares.squareRoot())
    guard norm > limit else { return nil }
    let factor = limit / norm
    for parameter in parameters { scale(parameter.gradient, by: factor) }
    return Clipping(norm: norm, factor: factor)
  }

  private func scale(_ array: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    for i in array.indices { array[i] *= factor }
  }

  /// All stages for one parameter, piece by piece, so that each piece comes from memory once.
  private func update(
    _ parameter: Parameter, _ index: Int, rate: Float, reportsPenalty: Bool
  ) -> Double {
    let step = UpdateStep(
      rate: rate * parameter.settings.rateFactor, iteration: iteration,
      momentum: settings.momentum)
    let share = 1 / Float(settings.batchesPerUpdate)
    return loop.sum(parameter.count) { range in
      guard let slice = memory.slice(of: parameter, index: index, range: range),
        let values = parameter.values.baseAddress
      else { return 0 }
      let (gradient, value) = (slice.gradient, values + range.lowerBound)
      if settings.batchesPerUpdate > 1 {
        for i in 0..<range.count { gradient[i] *= share }
      }
      var penalty = 0.0
      for regularizer in regularizers {
        penalty += regularizer.add(
          to: parameter, index: index, range: range, reportsTerm: reportsPenalty)
      }
      optimizer.apply(to: slice, step)
      for sparsifier in sparsifiers {
        sparsifier.limitUpdate(of: parameter, index: index, range: range)
      }
      for i in 0..<range.count { value[i] -= gradient[i] }
      for sparsifier in sparsifiers {
        sparsifier.finishUpdate(of: parameter, index: index, range: range)
      }
      if !settings.snapshotsGradients {
        for i in 0..<range.count { gradient[i] = 0 }
      }
      return penalty
    }
  }
}
