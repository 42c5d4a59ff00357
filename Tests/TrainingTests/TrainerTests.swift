import IR
import Testing

@testable import Training

@Suite struct TrainerTests {
  private func settings(_ change: (inout SolverSettings) -> Void = { _ in }) -> SolverSettings {
    var settings = SolverSettings()
    settings.baseRate = 0.05
    settings.momentum = 0.9
    settings.maximumIterations = 6
    settings.rule = .adam(momentum2: 0.99, delta: 1e-8)
    change(&settings)
    return settings
  }

  /// A trainer of a fresh fake net, and the snapshots that it hands out.
  private final class Run {
    let trainer: Trainer
    let net: FakeNet
    let recorder = Recorder()

    init(
      _ settings: SolverSettings, bias: String = "", columns: Int = 20,
      tests: [FakeNet] = [], pruning: MagnitudePruning.Schedule? = nil,
      refusing: @escaping (Int) -> Bool = { _ in false }
    ) throws {
      let definition = try FakeNet.definition(columns: columns, bias: bias)
      let net = FakeNet(parameters: FakeNet.parameters(of: definition))
      self.net = net
      let methods = pruning.map {
        MagnitudePruning(schedule: $0, parameters: net.parameters, net: definition)
      }
      let kept = kept
      trainer = Trainer(
        settings: settings, net: net, definition: definition, testNets: tests,
        sparsifiers: methods.map { [$0] } ?? []
      ) { (snapshot) throws(Diagnostic) in
        if refusing(snapshot.iteration) { throw .error("the disk is full") }
        kept.snapshots.append(snapshot)
        return "s_iter_\(snapshot.iteration).solverstate"
      }
    }

    private final class Kept { var snapshots: [Snapshot] = [] }
    private let kept = Kept()
    var snapshots: [Snapshot] { kept.snapshots }

    func run(_ request: () -> TrainingRequest? = { nil }) throws -> Trainer.End {
      try trainer.run(observer: recorder, request: request)
    }
  }

  // MARK: - The order of things

  @Test func `tests, updates, displays and snapshots come when Caffe has them`() throws {
    let run = try Run(
      settings {
        $0.display = 3
        $0.snapshotInterval = 4
        $0.tests = [SolverSettings.Test(iterations: 2)]
        $0.testInterval = 3
      }, tests: [FakeNet(parameters: [])])
    #expect(try run.run() == .finished)
    #expect(
      run.recorder.summary == [
        "test 0 at 0", "update 0", "update 1", "update 2", "test 0 at 3", "update 3",
        "snapshot 4", "update 4", "update 5", "snapshot 6", "look 6", "test 0 at 6",
      ])
    let displayed = run.recorder.events.compactMap { event -> Int? in
      guard case .iteration(let report) = event, report.isDisplayed else { return nil }
      return report.iteration
    }
    #expect(displayed == [0, 3, 6])
  }

  @Test func `a test is the mean of its batches`() throws {
    let run = try Run(
      settings {
        $0.tests = [SolverSettings.Test(iterations: 3)]
        $0.testInterval = 100
      }, tests: [FakeNet(parameters: [])])
    _ = try run.run()
    guard case .test(let report) = run.recorder.events.first else {
      Issue.record("no test")
      return
    }
    #expect(report.outputs == [NetOutput(name: "loss", values: [2], lossWeight: 1)])
    #expect(report.loss == nil)
  }

  @Test func `nothing is tested or written unless asked for`() throws {
    let run = try Run(
      settings {
        $0.snapshotsAfterTraining = false
        $0.tests = [SolverSettings.Test(iterations: 1)]
        $0.testInterval = 4
        $0.testsFirst = false
      }, tests: [FakeNet(parameters: [])])
    _ = try run.run()
    #expect(run.recorder.summary.filter { !$0.hasPrefix("update") } == ["test 0 at 4"])
  }

  @Test func `losses are smoothed over a window`() {
    var smoothed = SmoothedLoss(window: 3)
    var seen: [Float] = []
    for loss: Float in [3, 6, 9, 12, 0] {
      smoothed.add(loss)
      seen.append(smoothed.value)
    }
    #expect(seen == [3, 4.5, 6, 9, 7])
  }

  // MARK: - Requests

  @Test func `a request to stop writes a snapshot and stops`() throws {
    let run = try Run(settings { $0.snapshotsAfterTraining = false })
    var asked = 0
    let end = try run.run {
      asked += 1
      return asked == 2 ? .stop : nil
    }
    #expect(end == .stopped)
    #expect(run.recorder.summary == ["update 0", "update 1", "snapshot 2"])
  }

  @Test func `a request for a snapshot changes nothing else`() throws {
    let run = try Run(settings())
    var asked = 0
    _ = try run.run {
      asked += 1
      return asked == 2 ? .snapshot : nil
    }
    #expect(run.snapshots.map(\.iteration) == [2, 6])
  }

  @Test func `a stop during a test stops before the next update`() throws {
    let run = try Run(
      settings {
        $0.tests = [SolverSettings.Test(iterations: 5)]
        $0.testInterval = 2
      }, tests: [FakeNet(parameters: [])])
    var asked = 0
    // Five batches of the first test, two updates, then in the middle of the second test.
    let end = try run.run {
      asked += 1
      return asked == 9 ? .stop : nil
    }
    #expect(end == .stopped)
    #expect(run.recorder.summary == ["test 0 at 0", "update 0", "update 1", "snapshot 2"])
  }

  // MARK: - Going on

  static let rules: [UpdateRule] = [
    .sgd, .nesterov, .adaGrad(delta: 1e-8), .rmsProp(decay: 0.9, delta: 1e-8),
    .adaDelta(delta: 1e-6), .adam(momentum2: 0.999, delta: 1e-8),
  ]

  @Test(arguments: rules, [false, true])
  func `a resumed run is the same bit by bit`(_ rule: UpdateRule, _ prunes: Bool) throws {
    let settings = settings {
      $0.rule = rule
      $0.snapshotInterval = 7
      $0.maximumIterations = 20
      $0.policy = .multistep(gamma: 0.5, steps: [3, 6, 9, 15])
      $0.tests = [SolverSettings.Test(iterations: 2)]
      $0.testInterval = 5
      $0.clipGradients = 3
      if case .adaGrad = rule { $0.momentum = 0 }
    }
    let schedule =
      prunes ? MagnitudePruning.Schedule(final: 0.8, begin: 2, end: 12, frequency: 5) : nil
    func make() throws -> Run {
      let test = FakeNet(parameters: [], seed: 99)
      return try Run(settings, bias: "shared", tests: [test], pruning: schedule)
    }
    let whole = try make()
    _ = try whole.run()
    #expect(whole.snapshots.map(\.iteration) == [7, 14, 20])
    for snapshot in whole.snapshots.dropLast() {
      let again = try make()
      try again.trainer.restore(snapshot, file: "s")
      #expect(again.trainer.iteration == snapshot.iteration)
      _ = try again.run()
      #expect(again.trainer.solver.bits == whole.trainer.solver.bits)
      #expect(again.snapshots.last == whole.snapshots.last)
    }
  }

  @Test func `a shared array stands with every layer that has it`() throws {
    let run = try Run(settings { $0.maximumIterations = 1 }, bias: "b")
    _ = try run.run()
    let layers = try #require(run.snapshots.first).layers
    #expect(layers.map { $0.arrays.map(\.isShared) } == [[false, false], [false, true]])
    #expect(layers[0].arrays[1].tensor == layers[1].arrays[1].tensor)
    #expect(run.snapshots[0].history.count == 6)
  }

  @Test func `a snapshot of another net is refused`() throws {
    let run = try Run(settings { $0.maximumIterations = 1 })
    _ = try run.run()
    let snapshot = try #require(run.snapshots.first)
    func refusal(_ change: (inout Snapshot) -> Void) throws -> String {
      var other = snapshot
      change(&other)
      do {
        try Run(settings()).trainer.restore(other, file: "s.solverstate")
        return "accepted"
      } catch let error as Diagnostic {
        return "\(error)"
      }
    }
    #expect(try refusal { _ in } == "accepted")
    #expect(
      try refusal { $0.layers[1].name = "c" }
        == "s.solverstate: has nothing for layer \"b\" (InnerProduct): it is a snapshot of another net"
    )
    #expect(
      try refusal { $0.history.removeLast() }
        == "s.solverstate: holds 7 history arrays where Adam keeps 8 for this net: it is a snapshot "
        + "of another net or solver type")
    #expect(
      try refusal { $0.layers[0].arrays[0].tensor = Tensor(shape: .vector(3), repeating: 0) }
        .contains("have shape [20,20], in the file [3]: it is from another net"))
    #expect(
      try refusal { $0.methodState["magnitude pruning"] = [] }
        == "s.solverstate: was trained with magnitude pruning, which this run does not use")
  }

  @Test func `weights are taken by layer name`() throws {
    let source = try Run(settings { $0.maximumIterations = 1 })
    _ = try source.run()
    var layers = try #require(source.snapshots.first).layers
    layers[0].name = "other"
    let run = try Run(settings())
    let before = run.trainer.solver.bits
    try run.trainer.load(layers, file: "w")
    let after = run.trainer.solver.bits
    #expect(after[0...1] == before[0...1])
    #expect(after[2...3] == source.trainer.solver.bits[2...3])
  }

  // MARK: - Trouble

  @Test func `a loss that is no number stops before it does harm`() throws {
    let run = try Run(settings { $0.snapshotInterval = 2 })
    run.net.breaksAt = 3
    #expect {
      _ = try run.run()
    } throws: {
      "\($0)"
        == "training diverged at iteration 3: the loss is nan; it began in layer \"b\"; the last good "
        + "snapshot is s_iter_2.solverstate; lower base_lr, or limit gradients with clip_gradients"
    }
    #expect(run.trainer.solver.parameters.allSatisfy { $0.values.allSatisfy(\.isFinite) })
    #expect(run.trainer.iteration == 3)
  }

  @Test func `an exploding loss stops`() throws {
    let run = try Run(settings())
    run.net.breaksAt = 2
    run.net.explosion = 1e6
    #expect {
      _ = try run.run()
    } throws: {
      "\($0)".hasPrefix("training diverged at iteration 2: the loss is ")
        && "\($0)".contains("there is no snapshot yet")
    }
  }

  @Test func `a full disk on the way is no end`() throws {
    let run = try Run(settings { $0.snapshotInterval = 2 }, refusing: { $0 == 4 })
    #expect(try run.run() == .finished)
    #expect(
      run.recorder.summary.filter { !$0.hasPrefix("update") } == [
        "snapshot 2", "warning", "snapshot 6",
      ])
    let last = try Run(settings { $0.snapshotInterval = 4 }, refusing: { $0 == 6 })
    #expect {
      _ = try last.run()
    } throws: {
      "\($0)" == "the disk is full"
    }
    #expect(last.snapshots.map(\.iteration) == [4])
  }

  /// Broken in the second batch of an update, when the first has moved the data already.
  @Test func `broken data end the run with a snapshot of the state before`() throws {
    let settings = settings {
      $0.batchesPerUpdate = 2
      $0.maximumIterations = 8
    }
    let whole = try Run(settings)
    _ = try whole.run()
    let run = try Run(settings)
    run.net.throwsAt = 8
    #expect {
      _ = try run.run()
    } throws: {
      "\($0)" == "lmdb: record 7: is empty; iteration 3 is saved: mend this, and go on from "
        + "s_iter_3.solverstate"
    }
    #expect(run.snapshots.map(\.iteration) == [3])
    let again = try Run(settings)
    try again.trainer.restore(try #require(run.snapshots.first), file: "s")
    _ = try again.run()
    #expect(again.trainer.solver.bits == whole.trainer.solver.bits)
    #expect(again.snapshots.last == whole.snapshots.last)
  }

  @Test func `broken data of a test end the run with a snapshot, too`() throws {
    let test = FakeNet(parameters: [])
    test.throwsAt = 5
    let run = try Run(
      settings {
        $0.tests = [SolverSettings.Test(iterations: 2)]
        $0.testInterval = 2
      }, tests: [test])
    #expect(throws: Diagnostic.self) { _ = try run.run() }
    #expect(run.recorder.summary.last == "snapshot 4")
    // The test is made again: its data stand where they stood before.
    let state = try #require(run.snapshots.last?.netState["test 0/data"])
    let other = FakeNet(parameters: [])
    for _ in 0..<4 { _ = try other.forward() }
    #expect(state == other.state["data"])
  }

  @Test func `what is saved already is not saved again, and nothing before the first update`()
    throws
  {
    let saved = try Run(settings { $0.snapshotInterval = 2 })
    saved.net.throwsAt = 3
    #expect {
      _ = try saved.run()
    } throws: {
      "\($0)".hasSuffix("iteration 2 is saved: mend this, and go on from s_iter_2.solverstate")
    }
    #expect(saved.snapshots.map(\.iteration) == [2])
    let fresh = try Run(settings())
    fresh.net.throwsAt = 1
    #expect {
      _ = try fresh.run()
    } throws: {
      "\($0)" == "lmdb: record 7: is empty"
    }
    #expect(fresh.snapshots.isEmpty)
    let full = try Run(settings(), refusing: { _ in true })
    full.net.throwsAt = 2
    #expect {
      _ = try full.run()
    } throws: {
      "\($0)" == "lmdb: record 7: is empty; no snapshot of iteration 1 could be written: the disk "
        + "is full"
    }
  }
}
