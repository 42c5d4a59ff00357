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
  var good: Snapshot?
}

extension Trainer {
  /// Lets the run go back to its last good state and go on with half the learning rate when it diverges, instead of
  /// stopping.
  public func recoversFromDivergence(interval: Int) {
    recovery = Recovery(interval: max(1, interval))
  }

  /// Keeps the state in memory if it is time to.
  func keepGoodState() throws(Diagnostic) {
    guard let recovery, iteration % recovery.interval == 0 else { return }
    self.recovery?.good = try snapshot()
  }

  /// Goes back, if it may.
  ///
  /// - Parameter reason: what went wrong.
  /// - Returns: whether training can go on.
  func recover(from reason: Diagnostic, _ observer: any TrainingObserver) throws(Diagnostic) -> Bool {
    guard var recovery, let good = recovery.good, recovery.count < Recovery.most else {
      return false
    }
    recovery.count += 1
    let scale = solver.rateScale * Recovery.factor
    try SnapshotRestorer(trainer: self, snapshot: good, file: "the last good state").restore()
    solver.rateScale = scale
    recovery.good?.rateScale = scale
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
