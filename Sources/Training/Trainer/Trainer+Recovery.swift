import IR

/// What a run goes back to when it diverges.
struct Recovery {
  /// Iterations between two states that are kept.
  var interval: Int
  /// How often a run may go back.
  static let most = 6
  /// What the learning rate is multiplied by each time.
  static let factor: Float = 0.5

  var count = 0
  /// The last states, the newest last.
  var states: [Snapshot] = []
  private static let kept = 3

  mutating func keep(_ state: Snapshot) {
    states.append(state)
    if states.count > Self.kept { states.removeFirst() }
  }

  /// The newest state that lies well before an iteration; those behind it are no good.
  mutating func state(before iteration: Int) -> Snapshot? {
    while states.count > 1, let last = states.last, iteration - last.iteration < interval / 2 {
      states.removeLast()
    }
    return states.last
  }
}

extension Trainer {
  /// Lets the run go back to its last good state and go on with half the learning rate when it diverges, instead of
  /// stopping.
  public func recoversFromDivergence(interval: Int) {
    recovery = Recovery(interval: max(1, interval))
  }

  /// Keeps the state in memory if it is time to.
  func keepGoodState() throws(Diagnostic) {
    guard let recovery, iteration % recovery.interval == 0,
      recovery.states.last?.iteration != iteration
    else { return }
    self.recovery?.keep(try snapshot())
  }

  /// Goes back, if it may.
  ///
  /// - Parameter reason: what went wrong.
  /// - Returns: whether training can go on.
  func recover(from reason: Diagnostic, _ observer: any TrainingObserver) throws(Diagnostic) -> Bool
  {
    guard var recovery, recovery.count < Recovery.most,
      let good = recovery.state(before: iteration)
    else { return false }
    recovery.count += 1
    let scale = solver.rateScale * Recovery.factor
    try SnapshotRestorer(trainer: self, snapshot: good, file: "the last good state").restore()
    solver.rateScale = scale
    self.recovery = recovery
    clearLosses()
    observer.observe(
      .note(
        Diagnostic(
          .warning,
          "\(reason.message) - back to iteration \(good.iteration), with \(scale) times the learning "
            + "rate from now on")))
    return true
  }
}
