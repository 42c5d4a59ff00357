import IR
import TestSupport
import Testing

@testable import Training

@Suite struct SparsifierTests {
  // MARK: - The schedule

  @Test func `the schedule is Zhu and Gupta's`() throws {
    let schedule = MagnitudePruning.Schedule(
      initial: 0.2, final: 0.9, begin: 10, end: 110, frequency: 20)
    #expect(schedule.sparsity(at: 9) == nil)
    #expect(schedule.sparsity(at: 11) == nil)
    #expect(schedule.sparsity(at: 130) == nil)
    for t in stride(from: 10, through: 110, by: 20) {
      let n = Double(t - 10) / 100
      let expected = 0.9 + (0.2 - 0.9) * (1 - n) * (1 - n) * (1 - n)
      let given = try #require(schedule.sparsity(at: t))
      #expect(abs(given - expected) < 1e-12)
    }
    // The end is reached even if it is no multiple of the frequency.
    let odd = MagnitudePruning.Schedule(final: 0.5, begin: 0, end: 7, frequency: 5)
    #expect((0...7).filter { odd.sparsity(at: $0) != nil } == [0, 5, 7])
    #expect(odd.sparsity(at: 7) == 0.5)
    #expect(
      MagnitudePruning.Schedule(final: 0.5, begin: 3, end: 3, frequency: 1).sparsity(at: 3) == 0.5)
  }

  // MARK: - What is pruned

  private func progress(_ iteration: Int) -> TrainingProgress {
    TrainingProgress(
      iteration: iteration, maximumIterations: 100, rate: 0.1, clipsGradients: false)
  }

  private func zeros(_ parameters: [Parameter]) -> [Int] {
    parameters.map { $0.values.count { $0 == 0 } }
  }

  @Test(arguments: [0.1, 0.5, 0.93, 1])
  func `exactly the smallest weights go`(_ share: Double) throws {
    let net = try FakeNet.definition(columns: 20)
    let parameters = FakeNet.parameters(of: net)
    for i in parameters[2].values.indices { parameters[2].values[i] *= 3 }
    let before = [0, 2].flatMap { parameters[$0].contents }
    let pruning = MagnitudePruning(
      schedule: .init(final: share, begin: 0, end: 0, frequency: 1), parameters: parameters,
      net: net)
    pruning.beginIteration(progress(0))
    let after = [0, 2].flatMap { parameters[$0].contents }
    let zeros = Int((share * 800).rounded())
    #expect(after.count { $0 == 0 } == zeros)
    let limit = before.map(\.magnitude).sorted()[zeros - 1]
    for (old, new) in zip(before, after) {
      #expect(new == (old.magnitude <= limit ? 0 : old))
    }
    #expect(self.zeros(parameters)[1] == 0)
    #expect(pruning.mask(of: 1) == nil)
    #expect(pruning.mask(of: 0) == parameters[0].values.map { $0 != 0 })
  }

  @Test func `each layer loses the same if asked so`() throws {
    let net = try FakeNet.definition(columns: 20)
    let parameters = FakeNet.parameters(of: net)
    for i in parameters[2].values.indices { parameters[2].values[i] *= 3 }
    MagnitudePruning(
      schedule: .init(final: 0.25, begin: 0, end: 0, frequency: 1), scope: .uniform,
      parameters: parameters, net: net
    ).beginIteration(progress(0))
    #expect(zeros(parameters) == [100, 0, 100, 0])
  }

  @Test func `of equal weights the first go`() throws {
    let net = try FakeNet.definition(columns: 4)
    let parameters = FakeNet.parameters(of: net)
    for parameter in parameters { parameter.values.update(repeating: -0.5) }
    MagnitudePruning(
      schedule: .init(final: 0.625, begin: 0, end: 0, frequency: 1), parameters: parameters,
      net: net
    ).beginIteration(progress(0))
    #expect(zeros(parameters) == [16, 0, 4, 0])
    #expect(parameters[2].contents.prefix(4) == [0, 0, 0, 0])
  }

  @Test func `the rank is found as sorting finds it`() {
    var random = SeededGenerator(seed: 11)
    for count in [1, 2, 7, 100, 1000] {
      let values = (0..<count).map { _ in
        random.chance(0.2) ? 0 : Float.random(in: -1...1, using: &random)
      }
      let array = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
      defer { array.deallocate() }
      _ = array.initialize(from: values)
      let sorted = values.map(MagnitudeSelection.key).sorted()
      for rank in Set([1, count / 2, count]).subtracting([0]) {
        let (key, ties) = MagnitudeSelection.threshold(of: [array], rank: rank)
        #expect(key == sorted[rank - 1])
        #expect(ties == rank - sorted.count { $0 < key })
      }
    }
  }

  // MARK: - What stays zero

  @Test(arguments: SolverTests.rules)
  func `pruned weights stay zero under every rule`(_ rule: UpdateRule) throws {
    let definition = try FakeNet.definition(columns: 16)
    let net = FakeNet(parameters: FakeNet.parameters(of: definition))
    var settings = SolverSettings()
    settings.rule = rule
    settings.baseRate = 0.1
    settings.weightDecay = 0.01
    settings.maximumIterations = 40
    let pruning = MagnitudePruning(
      schedule: .init(final: 0.75, begin: 3, end: 23, frequency: 4), parameters: net.parameters,
      net: definition)
    let solver = Solver(settings: settings, parameters: net.parameters, sparsifiers: [pruning])
    var masked: [Int] = []
    for iteration in 0..<40 {
      _ = try solver.step(net)
      let zero = zeros(net.parameters)
      masked.append(zero[0] + zero[2])
      for index in [0, 2] {
        guard let mask = pruning.mask(of: index) else { continue }
        #expect(zip(net.parameters[index].values, mask).allSatisfy { $1 || $0 == 0 })
      }
      if let share = pruning.schedule.sparsity(at: iteration) {
        #expect(masked[iteration] == Int((share * 512).rounded()))
      }
    }
    #expect(masked == masked.sorted())
    #expect(masked.last == 384)
  }

  @Test func `fixed masks keep what is zero, and only that`() throws {
    let definition = try FakeNet.definition(columns: 10)
    let net = FakeNet(parameters: FakeNet.parameters(of: definition))
    for i in stride(from: 0, to: 100, by: 3) { net.parameters[0].values[i] = 0 }
    net.parameters[1].values[0] = 0
    var settings = SolverSettings()
    settings.baseRate = 0.1
    settings.clipGradients = 1
    settings.maximumIterations = 5
    let masks = FixedMasks.keepingZeros(of: net.parameters, in: definition)
    let solver = Solver(settings: settings, parameters: net.parameters, sparsifiers: [masks])
    for _ in 0..<5 { _ = try solver.step(net) }
    #expect(zeros(net.parameters) == [34, 0, 0, 0])
  }

  /// Lets masked weights live on out of sight, as network surgery does.
  private final class Surgery: Sparsifier {
    let name = "surgery"
    let hidesDenseWeights = true
    let masks: [[Bool]?]
    init(_ masks: [[Bool]?]) { self.masks = masks }
    func mask(of index: Int) -> [Bool]? { masks[index] }
  }

  @Test func `values behind masks are kept apart`() throws {
    let definition = try FakeNet.definition(columns: 6)
    let net = FakeNet(parameters: FakeNet.parameters(of: definition))
    let mask = (0..<36).map { $0 % 2 == 0 }
    func trainer(_ net: FakeNet) -> Trainer {
      Trainer(
        settings: SolverSettings(), net: net, definition: definition,
        sparsifiers: [Surgery([mask, nil, nil, nil])]
      ) { (_) throws(Diagnostic) in "" }
    }
    let snapshot = try trainer(net).snapshot()
    let baked = snapshot.layers[0].arrays[0]
    #expect(baked.mask == mask)
    #expect(zip(baked.tensor.values, mask).allSatisfy { $1 || $0 == 0 })
    #expect(snapshot.denseArrays.map(\.tensor.values) == [net.parameters[0].contents])
    let other = FakeNet(parameters: FakeNet.parameters(of: definition, seed: 8))
    try trainer(other).restore(snapshot, file: "s")
    #expect(other.parameters[0].contents == net.parameters[0].contents)
  }

  @Test func `a file with masks keeps its zeros by itself`() throws {
    let definition = try FakeNet.definition(columns: 6)
    let source = FakeNet.parameters(of: definition)
    let mask = (0..<36).map { $0 % 3 == 0 }
    var layers = LearnedLayers(definition, source).layers(
      of: source.map { Snapshot.LearnedArray(Tensor(shape: $0.shape, values: Array($0.values))) })
    layers[1].arrays[0].mask = mask
    var settings = SolverSettings()
    settings.baseRate = 0.1
    settings.maximumIterations = 4
    func trainer(_ net: FakeNet) -> Trainer {
      Trainer(settings: settings, net: net, definition: definition) { (_) throws(Diagnostic) in
        ""
      }
    }
    let net = FakeNet(parameters: FakeNet.parameters(of: definition, seed: 1))
    let first = trainer(net)
    try first.load(layers, file: "w")
    _ = try first.run(observer: Recorder())
    #expect(zeros(net.parameters) == [0, 0, 24, 0])
    // Also when that run is resumed.
    settings.maximumIterations = 8
    let other = FakeNet(parameters: FakeNet.parameters(of: definition, seed: 2))
    let second = trainer(other)
    try second.restore(first.snapshot(), file: "s")
    _ = try second.run(observer: Recorder())
    #expect(zeros(other.parameters) == [0, 0, 24, 0])
  }

  @Test func `sparsity is counted by elements, columns and rows`() throws {
    let parameter = Parameter(
      layer: "l", index: 0,
      settings: TrainingParameter(
        slot: ParameterSlot("weights", try Shape([2, 2, 2])), filler: .constant(0)))
    for (i, value) in [Float(0), 0, 0, 0, 0, 1, 5e-5, 0].enumerated() {
      parameter.values[i] = value
    }
    let sparsity = parameter.sparsity
    #expect(sparsity.elements == 7.0 / 8)
    #expect(sparsity.rows == 0.5)
    #expect(sparsity.columns == 0.5)
  }
}
