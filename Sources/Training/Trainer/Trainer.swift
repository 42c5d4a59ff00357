import IR

/// A training run: updates, tests, reports and snapshots in the order in which Caffe makes them.
///
/// The trainer knows no files: it hands `Snapshot`s to whoever saves them, and goes on from one.
public final class Trainer {
  /// How a run ended.
  public enum End: Hashable, Sendable {
    case finished
    /// By request.
    case stopped
  }

  public let solver: Solver
  let net: any TrainedNet
  let definition: TrainingNet
  let testNets: [any TrainedNet]
  private let save: (Snapshot) throws(Diagnostic) -> String
  /// The parameters that forward passes write.
  let averages: [Parameter]
  private var smoothedLoss: SmoothedLoss
  private var divergence = DivergenceGuard()
  /// Set if a run that diverges shall go back and on.
  var recovery: Recovery?
  /// Whether the last update was refused because the loss showed that training diverged.
  private var hasDiverged = false
  /// The last snapshot of this run, or the one it began with.
  private(set) var lastGood: (iteration: Int, path: String)?

  public var settings: SolverSettings { solver.settings }
  /// Updates made.
  public var iteration: Int { solver.iteration }

  /// - Parameters:
  ///   - net: what is trained.
  ///   - definition: its definition, from which snapshots take names and shared arrays.
  ///   - testNets: one for each of the solver's tests; they share parameters with `net`.
  ///   - regularizers: penalties beside weight decay.
  ///   - sparsifiers: methods that make weights zero, in the order in which they act.
  ///   - threads: how many share the update of large arrays.
  ///   - save: writes a snapshot so that it is whole or not there; returns the path of its .solverstate.
  public init(
    settings: SolverSettings, net: any TrainedNet, definition: TrainingNet,
    testNets: [any TrainedNet] = [], regularizers: [any Regularizer] = [],
    sparsifiers: [any Sparsifier] = [], threads: Int = 1,
    save: @escaping (Snapshot) throws(Diagnostic) -> String
  ) {
    precondition(testNets.count == settings.tests.count, "one net for each test")
    solver = Solver(
      settings: settings, parameters: net.parameters, regularizers: regularizers,
      sparsifiers: sparsifiers, threads: threads)
    self.net = net
    self.definition = definition
    averages = Self.averages(of: net.parameters, in: definition)
    self.testNets = testNets
    self.save = save
    smoothedLoss = SmoothedLoss(window: settings.averageLoss)
  }

  /// Goes on from a snapshot as if the run had never stopped.
  ///
  /// - Parameter file: the name that messages give the snapshot.
  /// - Throws: what of it does not belong to this net or this solver.
  public func restore(_ snapshot: Snapshot, file: String) throws(Diagnostic) {
    try SnapshotRestorer(trainer: self, snapshot: snapshot, file: file).restore()
    lastGood = (snapshot.iteration, file)
  }

  /// Starts from trained weights; layers that the file does not have keep theirs. What its masks make zero stays so, if
  /// no method of this run goes on with them, and so does what `connectivity_mode` freezes.
  ///
  /// - Parameter file: the name that messages give the file.
  /// - Throws: which array does not fit.
  public func load(_ layers: [Snapshot.Layer], file: String) throws(Diagnostic) {
    var masks = try net.load(layers, definition: definition, file: file)
    for (index, mask) in masks.enumerated() {
      guard let mask else { continue }
      let isAdopted = solver.sparsifiers.reduce(false) { $1.adopt(mask, of: index) || $0 }
      if isAdopted { masks[index] = nil }
    }
    fix(masks)
    fix(connectivity(to: layers))
  }

  /// Keeps the weights of Convolution and InnerProduct zero that are zero now.
  public func keepZeros() {
    fix(FixedMasks.zeros(of: solver.parameters, in: definition))
  }

  /// Keeps zero what any of these masks, or those fixed before, have as zero.
  func fix(_ masks: [[Bool]?]) {
    guard masks.contains(where: { $0 != nil }) else { return }
    if let fixed = solver.sparsifiers.lazy.compactMap({ $0 as? FixedMasks }).first {
      fixed.add(masks)
    } else {
      solver.add(FixedMasks(masks, of: solver.parameters))
    }
  }

  /// What `connectivity_mode` freezes of weights that come from a file.
  func connectivity(to layers: [Snapshot.Layer]) -> [[Bool]?] {
    let loaded = Set(layers.filter { !$0.arrays.isEmpty }.map(\.name))
    return FixedMasks.connectivity(
      solver.parameters, in: definition,
      isLoaded: solver.parameters.map { loaded.contains($0.layer) },
      dialect: settings.dialect, fields: settings.forkFields)
  }

  /// Trains until `max_iter` or until asked to stop.
  ///
  /// - Parameter request: what somebody outside wants now; asked once per update and once per batch of a test.
  /// - Throws: a loss that is no number or explodes, with the layer where it began and the last good snapshot; what
  ///   the nets and their data throw, after a snapshot of the state before; a last snapshot that can not be written.
  ///   One that can not be written on the way is a note to the observer, and training goes on.
  public func run(
    observer: any TrainingObserver, request: () -> TrainingRequest? = { nil }
  ) throws(Diagnostic) -> End {
    var stops = false
    while iteration < settings.maximumIterations, !stops {
      if isTestDue, iteration > 0 || settings.testsFirst {
        if try testAll(observer, request) == .stop { break }
      }
      try keepGoodState()
      do throws(Diagnostic) {
        try makeUpdate(observer)
      } catch {
        guard hasDiverged, try recover(from: error, observer) else { throw error }
        hasDiverged = false
        continue
      }
      let asked = request()
      stops = asked == .stop
      let isDue =
        settings.snapshotInterval > 0 && iteration % settings.snapshotInterval == 0
      if isDue || asked == .snapshot { trySnapshot(observer) }
    }
    let hasFinished = iteration >= settings.maximumIterations
    if lastGood?.iteration != iteration, settings.snapshotsAfterTraining || !hasFinished {
      try makeSnapshot(observer)
    }
    guard hasFinished else { return .stopped }
    try lookOnceMore(observer)
    if isTestDue, try testAll(observer, request) == .stop { return .stopped }
    return .finished
  }

  // MARK: - Updates

  private func makeUpdate(_ observer: any TrainingObserver) throws(Diagnostic) {
    let isDisplayed = isDisplayDue
    let (number, oldStep) = (iteration, solver.currentStep)
    let before = standing
    var isInPasses = true
    let step: Solver.Step
    do {
      step = try solver.step(net, reportsPenalty: isDisplayed) { (loss) throws(Diagnostic) in
        isInPasses = false
        try self.requireSane(loss)
        if isDisplayed, self.makesZeros {
          observer.observe(.sparsity(iteration: number, self.sparsity))
        }
      }
    } catch {
      guard isInPasses else { throw error }
      throw rescued(error, from: before, observer: observer)
    }
    smoothedLoss.add(step.loss)
    var report = IterationReport(
      iteration: number, loss: step.loss, smoothedLoss: smoothedLoss.value, rate: step.rate,
      isDisplayed: isDisplayed)
    if isDisplayed { report.outputs = net.outputs }
    report.penalty = step.penalty
    report.clipping = step.clipping
    if case .multistep = settings.policy, solver.currentStep != oldStep {
      report.newStep = solver.currentStep
    }
    observer.observe(.iteration(report))
    for sparsifier in solver.sparsifiers {
      if let report = (sparsifier as? TargetedSparsifier)?.takeReport() {
        observer.observe(.target(report))
      }
    }
  }

  /// Forgets the losses so far, after a step back.
  func clearLosses() {
    smoothedLoss = SmoothedLoss(window: settings.averageLoss)
    divergence = DivergenceGuard()
  }

  private var isDisplayDue: Bool {
    settings.display > 0 && iteration % settings.display == 0
  }

  /// Two of the forks print how many weights are zero, whatever they train with.
  private var makesZeros: Bool {
    !solver.sparsifiers.isEmpty || settings.dialect == .scnn || settings.dialect == .skim
  }

  /// Behind the last update Caffe shows the loss of one more batch.
  private func lookOnceMore(_ observer: any TrainingObserver) throws(Diagnostic) {
    guard isDisplayDue else { return }
    let loss = try solver.look(net)
    smoothedLoss.add(loss)
    observer.observe(
      .iteration(
        IterationReport(
          iteration: iteration, loss: loss, smoothedLoss: smoothedLoss.value, rate: nil,
          isDisplayed: true)))
  }

  private func requireSane(_ loss: Float) throws(Diagnostic) {
    let verdict = divergence.judge(loss)
    let what: String
    switch verdict {
    case .good: return
    case .notFinite: what = "the loss is \(loss)"
    case .exploded(let level): what = "the loss is \(loss), after about \(level) at first"
    }
    hasDiverged = true
    let layer = net.firstNonFinite.map { "; it began in layer \"\($0)\"" } ?? ""
    let good =
      lastGood.map { "; the last good snapshot is \($0.path)" } ?? "; there is no snapshot yet"
    throw .error(
      "training diverged at iteration \(iteration): \(what)\(layer)\(good); lower base_lr, or "
        + "limit gradients with clip_gradients")
  }

  // MARK: - Tests

  private var isTestDue: Bool {
    settings.testInterval > 0 && iteration % settings.testInterval == 0
  }

  /// - Returns: `.stop` if that was asked for meanwhile.
  private func testAll(_ observer: any TrainingObserver, _ request: () -> TrainingRequest?)
    throws(Diagnostic) -> TrainingRequest?
  {
    let before = standing
    do {
      return try runTests(observer, request)
    } catch {
      throw rescued(error, from: before, observer: observer)
    }
  }

  private func runTests(_ observer: any TrainingObserver, _ request: () -> TrainingRequest?)
    throws(Diagnostic) -> TrainingRequest?
  {
    for sparsifier in solver.sparsifiers { sparsifier.beforeTest() }
    defer { for sparsifier in solver.sparsifiers.reversed() { sparsifier.afterTest() } }
    var isSnapshotWanted = false
    for (index, test) in settings.tests.enumerated() {
      let result = try NetTest.run(testNets[index], iterations: test.iterations) { _, _ in
        let asked = request()
        if asked == .snapshot { isSnapshotWanted = true }
        return asked != .stop
      }
      guard result.isComplete else { return .stop }
      observer.observe(
        .test(
          TestReport(
            iteration: iteration, net: index, outputs: result.outputs,
            loss: settings.testComputesLoss ? result.loss : nil)))
    }
    if isSnapshotWanted { trySnapshot(observer) }
    return nil
  }

  // MARK: - Snapshots

  /// Writes a snapshot; if that is not possible, training goes on, since it may be later.
  private func trySnapshot(_ observer: any TrainingObserver) {
    do {
      try makeSnapshot(observer)
    } catch {
      observer.observe(
        .note(
          Diagnostic(
            .warning, "no snapshot at iteration \(iteration), training goes on: \(error.message)",
            at: error.location, file: error.file)))
    }
  }

  private func makeSnapshot(_ observer: any TrainingObserver) throws(Diagnostic) {
    try keep(try snapshot(), observer)
  }

  /// Has a snapshot of the present state written.
  func keep(_ snapshot: Snapshot, _ observer: any TrainingObserver) throws(Diagnostic) {
    let path = try save(snapshot)
    lastGood = (iteration, path)
    observer.observe(.snapshot(iteration: iteration, path: path))
  }
}
