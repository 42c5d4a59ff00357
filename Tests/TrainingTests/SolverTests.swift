import IR
import TestSupport
import Testing

@testable import Training

@Suite struct SolverTests {
  static let rules: [UpdateRule] = [
    .sgd, .nesterov, .adaGrad(delta: 1e-8), .rmsProp(decay: 0.9, delta: 1e-8),
    .adaDelta(delta: 1e-6), .adam(momentum2: 0.999, delta: 1e-8),
  ]

  private func settings(_ rule: UpdateRule = .sgd) -> SolverSettings {
    var settings = SolverSettings()
    settings.rule = rule
    settings.baseRate = 0.05
    switch rule {
    case .adaGrad, .rmsProp: settings.momentum = 0
    default: settings.momentum = 0.9
    }
    settings.weightDecay = 0.01
    settings.maximumIterations = 100
    return settings
  }

  /// A parameter of `count` elements with `gradient` in all of them.
  private func parameter(_ count: Int, gradient: Float) -> Parameter {
    let parameter = Parameter(
      layer: "l", index: 0,
      settings: TrainingParameter(
        slot: ParameterSlot("weights", .vector(count)), filler: .constant(0)))
    parameter.gradient.update(repeating: gradient)
    return parameter
  }

  @Test(arguments: rules)
  func `threads do not change a bit`(_ rule: UpdateRule) throws {
    // More than one piece for each thread, and a rest.
    let net = try FakeNet.definition(columns: 300)
    func run(_ threads: Int) throws -> [[UInt32]] {
      var settings = settings(rule)
      settings.dialect = .scnn
      settings.clipGradients = 10
      settings.batchesPerUpdate = 2
      let fake = FakeNet(parameters: FakeNet.parameters(of: net))
      let solver = Solver(settings: settings, parameters: fake.parameters, threads: threads)
      for _ in 0..<3 { _ = try solver.step(fake) }
      return solver.bits
    }
    #expect(try run(1) == run(3))
  }

  @Test(arguments: rules)
  func `every rule minimises`(_ rule: UpdateRule) throws {
    var settings = settings(rule)
    settings.weightDecay = 0
    if case .adaDelta = rule { settings.baseRate = 10 }
    let fake = FakeNet(parameters: FakeNet.parameters(of: try FakeNet.definition(columns: 8)))
    let solver = Solver(settings: settings, parameters: fake.parameters)
    let first = try solver.step(fake).loss
    for _ in 0..<200 { _ = try solver.step(fake) }
    #expect(try solver.step(fake).loss < first / 3)
  }

  @Test func `history has Caffe's order and count`() throws {
    let parameters = [parameter(3, gradient: 1), parameter(5, gradient: 2)]
    for rule in Self.rules {
      let solver = Solver(settings: settings(rule), parameters: parameters)
      let counts = solver.memory.arrays.map(\.count)
      switch rule {
      case .adaDelta, .adam: #expect(counts == [3, 5, 3, 5])
      default: #expect(counts == [3, 5])
      }
    }
  }

  @Test func `second moments lie behind the first`() {
    let parameters = [parameter(2, gradient: 1), parameter(3, gradient: 3)]
    var settings = settings(.adam(momentum2: 0.5, delta: 0))
    settings.weightDecay = 0
    settings.momentum = 0.5
    let solver = Solver(settings: settings, parameters: parameters)
    _ = solver.update()
    #expect(
      solver.memory.arrays.map { Array($0) } == [
        [0.5, 0.5], [1.5, 1.5, 1.5], [0.5, 0.5], [4.5, 4.5, 4.5],
      ])
  }

  @Test func `gradients are limited before they are divided`() {
    let parameters = [parameter(9, gradient: 1), parameter(16, gradient: 1)]
    var settings = settings()
    settings.weightDecay = 0
    settings.momentum = 0
    settings.baseRate = 1
    settings.clipGradients = 0.5
    settings.batchesPerUpdate = 2
    let solver = Solver(settings: settings, parameters: parameters)
    let step = solver.update()
    #expect(step.clipping == Solver.Clipping(norm: 5, factor: 0.1))
    #expect(parameters[0].contents == [Float](repeating: -0.05, count: 9))
  }

  @Test func `a limit that is kept changes nothing`() {
    var settings = settings()
    settings.clipGradients = 5
    let solver = Solver(settings: settings, parameters: [parameter(25, gradient: 1)])
    #expect(solver.update().clipping == nil)
  }

  @Test func `the penalty is that of the values before the update`() {
    let decayed = parameter(10, gradient: 0)
    decayed.values.update(repeating: -2)
    for (kind, expected) in [(Regularization.l2, 0.2), (.l1, 0.2)] {
      var settings = settings()
      settings.regularization = kind
      decayed.values.update(repeating: -2)
      let solver = Solver(settings: settings, parameters: [decayed])
      let penalty = solver.update(reportsPenalty: true).penalty ?? 0
      #expect(abs(penalty - expected) < 1e-7)
    }
  }

  @Test func `zero-out takes every small value, whatever its rate`() {
    let fixed = parameter(4, gradient: 0)
    for (i, value) in [Float(1e-4), 9.9e-5, -9.9e-5, 1].enumerated() { fixed.values[i] = value }
    var settings = settings()
    settings.weightDecay = 0
    settings.dialect = .scnn
    _ = Solver(settings: settings, parameters: [fixed]).update()
    #expect(fixed.contents == [1e-4, 0, 0, 1])
  }

  @Test func `gradients are clear for the next iteration`() throws {
    let parameters = [parameter(3, gradient: 5)]
    _ = Solver(settings: settings(), parameters: parameters).update()
    #expect(parameters[0].slope == [0, 0, 0])
    var keeping = settings()
    keeping.snapshotsGradients = true
    parameters[0].gradient.update(repeating: 5)
    _ = Solver(settings: keeping, parameters: parameters).update()
    // As in Caffe, what is left is the update.
    #expect(parameters[0].slope.allSatisfy { $0 != 0 })
  }

  @Test func `sums are right at every length`() {
    var random = SeededGenerator(seed: 5)
    for count in 0...40 {
      let values = (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
      let squares = values.reduce(0.0) { $0 + Double($1) * Double($1) }
      let magnitudes = values.reduce(0.0) { $0 + Double(abs($1)) }
      values.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        #expect(abs(Sums.squares(base, count) - squares) < 1e-12)
        #expect(abs(Sums.magnitudes(base, count) - magnitudes) < 1e-12)
      }
    }
  }
}
