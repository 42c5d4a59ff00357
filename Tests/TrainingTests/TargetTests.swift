import IR
import TestSupport
import Testing

@testable import Training

/// Runs that are asked for a share of zeros.
@Suite struct TargetTests {
  private static let methods: [(SparsifyingMethod, ZeroStructure)] =
    SparsifyingMethod.allCases.map { ($0, .element) }
    + [.filter, .channel, .shape].flatMap { [(.ssl, $0), (.magnitude, $0)] }

  private func trainer(
    _ target: SparsityTarget, seed: UInt64 = 3, iterations: Int = 400
  ) throws -> (Trainer, FakeNet) {
    let definition = try FakeNet.definition(columns: 16)
    let net = FakeNet(parameters: FakeNet.parameters(of: definition, seed: seed))
    var settings = SolverSettings()
    settings.baseRate = 0.02
    settings.momentum = 0.5
    settings.maximumIterations = iterations
    var methods = TrainingMethods(
      net.parameters, in: definition, settings, random: RandomSource(seed: 1))
    try methods.add(
      target, plan: SparsifyingPlan(iterations: iterations, startsUntrained: false),
      net.parameters, in: definition, settings, random: RandomSource(seed: 2))
    let trainer = Trainer(
      settings: settings, net: net, definition: definition, regularizers: methods.regularizers,
      sparsifiers: methods.sparsifiers
    ) { (_) throws(Diagnostic) in "" }
    return (trainer, net)
  }

  private func reached(_ target: SparsityTarget, _ net: FakeNet) throws -> [Double] {
    let definition = try FakeNet.definition(columns: 16)
    return try TargetGroups(target, net.parameters, in: definition, isUniform: false)
      .reached(net.parameters)
  }

  @Test(arguments: methods)
  func `every method reaches the share that is asked for`(
    _ method: (SparsifyingMethod, ZeroStructure)
  ) throws {
    let target = SparsityTarget(share: 0.75, method: method.0, structure: method.1)
    let (trainer, net) = try trainer(target)
    _ = try trainer.run(observer: Recorder())
    let reached = try reached(target, net)[0]
    #expect(reached >= 0.75 - 1e-9, "\(method)")
    #expect(reached < 0.97, "\(method): something lives")
    // Zeros are masked, and the masks are in the snapshot.
    let arrays = try trainer.snapshot().layers.flatMap(\.arrays)
    #expect(arrays.contains { $0.mask != nil })
    #expect(try trainer.snapshot().denseArrays.isEmpty)
  }

  /// A net in which a strength holds a share of zeros that follows it with some delay.
  @Test(arguments: [1e-5, 1e-3, 0.1] as [Float])
  func `a penalty that alone makes the zeros finds its strength and never rests`(_ start: Float) {
    let plan = SparsifyingPlan(iterations: 5000, startsUntrained: false)
    var steering = Steering(strength: start)
    var reached = 0.0
    for iteration in stride(from: 0, to: plan.end, by: plan.interval) {
      let wanted = 0.9 * plan.progress(at: iteration)
      let state = ScopeState(wanted: wanted, reached: reached, final: 0.9)
      steering.follow(state, mayRest: false)
      #expect(steering.acting > 0)
      let held = 1 - 1 / (1 + 4000 * Double(steering.acting))
      reached += 0.3 * (held - reached)
      if iteration > plan.full { #expect(abs(reached - 0.9) < 0.03, "\(iteration)") }
    }
  }

  @Test func `a penalty whose zeros stay rests when there are enough`() {
    var steering = Steering(strength: 0.5)
    steering.follow(ScopeState(wanted: 0.2, reached: 0.3, final: 0.9), mayRest: true)
    #expect(steering.acting == 0)
    #expect(steering.strength == 0.5)
    steering.follow(ScopeState(wanted: 0.4, reached: 0.3, final: 0.9), mayRest: true)
    #expect(steering.acting > 0.5)
  }

  @Test(arguments: [SparsifyingMethod.ssl, .magnitude, .dns])
  func `layers have shares of their own`(_ method: SparsifyingMethod) throws {
    let target = SparsityTarget(share: nil, layers: ["a": 0.5], method: method)
    let (trainer, net) = try trainer(target)
    _ = try trainer.run(observer: Recorder())
    let zeros = net.parameters.map { $0.values.count { $0 == 0 } }
    #expect(zeros[0] >= 128 && zeros[0] < 200)
    #expect(zeros[2] == 0)
  }

  @Test(arguments: methods)
  func `a resumed run makes the same bits`(
    _ method: (SparsifyingMethod, ZeroStructure)
  ) throws {
    let target = SparsityTarget(share: 0.6, method: method.0, structure: method.1)
    let (whole, net) = try trainer(target, iterations: 100)
    var snapshots: [Snapshot] = []
    for stop in [17, 41, 58, 61, 77] {
      _ = try whole.run(observer: Recorder()) { whole.iteration == stop ? .stop : nil }
      snapshots.append(try whole.snapshot())
    }
    _ = try whole.run(observer: Recorder())
    for snapshot in snapshots {
      let (resumed, other) = try trainer(target, seed: 99, iterations: 100)
      try resumed.restore(snapshot, file: "s")
      _ = try resumed.run(observer: Recorder())
      for (a, b) in zip(net.parameters, other.parameters) {
        #expect(Array(a.values) == Array(b.values), "\(method), from \(snapshot.iteration)")
      }
    }
  }

  @Test func `what cannot be is refused`() throws {
    func message(_ target: SparsityTarget) -> String {
      do {
        _ = try trainer(target)
        return "accepted"
      } catch { return "\(error)" }
    }
    #expect(
      message(SparsityTarget(share: 0.5, method: .dns, structure: .filter)).contains(
        "--method dns makes single weights zero"))
    #expect(
      message(SparsityTarget(share: nil, layers: ["c": 0.5])).contains(
        "layer \"c\" has no weights that can become zero by element; those of a, b can"))
    #expect(
      message(SparsityTarget(share: 0.5, method: .ssl, structure: .depth)).contains(
        "no weights of this net can become zero by depth"))
  }

  @Test func `a run that diverges goes back and on more slowly`() throws {
    let target = SparsityTarget(share: 0.5, method: .ssl)
    let (trainer, net) = try trainer(target, iterations: 60)
    trainer.recoversFromDivergence(interval: 10)
    net.breaksAt = 25
    net.recoversAfter = 2
    let recorder = Recorder()
    #expect(try trainer.run(observer: recorder) == .finished)
    #expect(trainer.iteration == 60)
    #expect(trainer.solver.rateScale == 0.25)
    let notes = recorder.notes
    #expect(notes.count == 2)
    #expect(notes[0].contains("back to iteration 20"))
    // It diverged again at once: that state was no good either.
    #expect(notes[1].contains("back to iteration 10"))
    #expect(notes[1].contains("0.25 times"))
    #expect(try trainer.snapshot().rateScale == 0.25)
  }

  @Test func `a run that only diverges ends`() throws {
    let (trainer, net) = try trainer(SparsityTarget(share: 0.5, method: .ssl), iterations: 60)
    trainer.recoversFromDivergence(interval: 10)
    net.breaksAt = 25
    #expect(throws: Diagnostic.self) { try trainer.run(observer: Recorder()) }
  }
}
