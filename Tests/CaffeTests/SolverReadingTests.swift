import IR
import Testing

@testable import Caffe

@Suite struct SolverReadingTests {
  private static let minimal = "net: \"n.prototxt\"\nbase_lr: 0.5\nmax_iter: 10\n"

  private func read(_ text: String) throws -> SolverDefinition {
    try SolverReader.read(Prototxt.parse(text: text, file: "s.prototxt", as: .solver))
  }

  private func refusal(_ text: String) -> String {
    do {
      _ = try read(text)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  // MARK: - Rates

  static let policies: [(text: String, policy: RatePolicy)] = [
    ("lr_policy: \"fixed\"", .fixed),
    ("lr_policy: \"step\" gamma: 0.1 stepsize: 7", .step(gamma: 0.1, size: 7)),
    ("lr_policy: \"exp\" gamma: 0.9", .exponential(gamma: 0.9)),
    ("lr_policy: \"inv\" gamma: 1e-4 power: 0.75", .inverse(gamma: 1e-4, power: 0.75)),
    (
      "lr_policy: \"multistep\" gamma: 0.1 stepvalue: 5 stepvalue: 12",
      .multistep(gamma: 0.1, steps: [5, 12])
    ),
    ("lr_policy: \"poly\" power: 2", .polynomial(power: 2)),
    ("lr_policy: \"sigmoid\" gamma: -0.5 stepsize: 10", .sigmoid(gamma: -0.5, size: 10)),
  ]

  @Test(arguments: policies)
  func `every policy is read`(_ example: (text: String, policy: RatePolicy)) throws {
    #expect(try read(Self.minimal + example.text).settings.policy == example.policy)
    let name = try #require(example.text.split(separator: "\"").dropFirst().first)
    #expect(example.policy.name == name)
  }

  static let rules: [(text: String, rule: UpdateRule)] = [
    ("", .sgd),
    ("type: \"SGD\" momentum: 0.9", .sgd),
    ("type: \"Nesterov\"", .nesterov),
    ("type: \"AdaGrad\"", .adaGrad(delta: 1e-8)),
    ("type: \"AdaGrad\" delta: 1e-3 momentum: 0", .adaGrad(delta: 1e-3)),
    ("type: \"RMSProp\" rms_decay: 0.5", .rmsProp(decay: 0.5, delta: 1e-8)),
    ("type: \"AdaDelta\" delta: 1e-6 momentum: 0.95", .adaDelta(delta: 1e-6)),
    ("type: \"Adam\" momentum: 0.9", .adam(momentum2: 0.999, delta: 1e-8)),
    ("solver_type: NESTEROV", .nesterov),
    ("solver_type: ADAM momentum2: 0.99", .adam(momentum2: 0.99, delta: 1e-8)),
    ("solver_type: 3", .rmsProp(decay: 0.99, delta: 1e-8)),
  ]

  @Test(arguments: rules)
  func `every type is read, by its old name too`(_ example: (text: String, rule: UpdateRule))
    throws
  {
    let settings = try read(Self.minimal + "lr_policy: \"fixed\" " + example.text).settings
    #expect(settings.rule == example.rule)
  }

  // MARK: - Everything else

  @Test func `a solver of Caffe's is read whole`() throws {
    let definition = try read(
      """
      net: "examples/mnist/lenet_train_test.prototxt"
      test_iter: 100 test_interval: 500
      base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005
      lr_policy: "inv" gamma: 0.0001 power: 0.75
      display: 100 max_iter: 10000 snapshot: 5000
      snapshot_prefix: "out/lenet" solver_mode: GPU random_seed: 1701 iter_size: 2
      average_loss: 20 clip_gradients: 35 regularization_type: "L1" snapshot_format: HDF5
      snapshot_diff: true snapshot_after_train: false test_initialization: false
      test_compute_loss: true debug_info: true weights: "a.caffemodel, b.caffemodel"
      """)
    var expected = SolverSettings()
    expected.tests = [SolverSettings.Test(iterations: 100)]
    expected.testInterval = 500
    expected.baseRate = 0.01
    expected.momentum = 0.9
    expected.weightDecay = 0.0005
    expected.policy = .inverse(gamma: 0.0001, power: 0.75)
    expected.display = 100
    expected.maximumIterations = 10000
    expected.snapshotInterval = 5000
    expected.snapshotPrefix = "out/lenet"
    expected.randomSeed = 1701
    expected.batchesPerUpdate = 2
    expected.averageLoss = 20
    expected.clipGradients = 35
    expected.regularization = .l1
    expected.snapshotFormat = .hdf5
    expected.snapshotsGradients = true
    expected.snapshotsAfterTraining = false
    expected.testsFirst = false
    expected.testComputesLoss = true
    expected.debugInfo = true
    #expect(definition.settings == expected)
    #expect(definition.weights == ["a.caffemodel", "b.caffemodel"])
    #expect(
      definition.findings.map(\.description) == [
        "s.prototxt:6:43: note: solver_mode: GPU: the CPU is used"
      ])
  }

  @Test func `fields of forks are kept`() throws {
    let settings = try read(
      Self.minimal
        + """
        lr_policy: "fixed" breadth_decay: 1 kernel_shape_decay: 2 block_group_decay: 3
        prune_threshold: 4 measure_threshold: 5 max_threshold_factor: 6 force_decay: 7
        winograd_sparsity_factor: 8 winograd_adjust_threshold: 0 surgery_stop_iter: 9
        surgery_iter_gamma: 10 surgery_iter_power: 11
        group_lasso_solver: PROXIMAL group_lasso_span: true surgery_zeroes_in_tests: true
        """
    ).settings
    var fork = ForkFields()
    fork.breadthDecay = 1
    fork.kernelShapeDecay = 2
    fork.blockGroupDecay = 3
    fork.pruneThreshold = 4
    fork.measureThreshold = 5
    fork.maximumThresholdFactor = 6
    fork.forceDecay = 7
    fork.winogradSparsityFactor = 8
    fork.adjustsWinogradThreshold = false
    fork.surgeryStop = 9
    fork.surgeryGamma = 10
    fork.surgeryPower = 11
    fork.usesProximalGroups = true
    fork.spansGroups = true
    fork.surgeryForgetsInTests = true
    #expect(settings.forkFields == fork)
  }

  @Test func `a missing prefix is the solver's name`() throws {
    #expect(try read(Self.minimal + "lr_policy: \"fixed\"").settings.snapshotPrefix == "s")
    let inFolder = try read(Self.minimal + "lr_policy: \"fixed\" snapshot_prefix: \"/tmp\"")
    #expect(inFolder.settings.snapshotPrefix == "/tmp/s")
  }

  // MARK: - Nets

  private static let rest = "base_lr: 1 max_iter: 1 lr_policy: \"fixed\" "

  private func describe(_ net: SolverDefinition.Net) -> String {
    switch net.source {
    case .file(let path, _): path
    case .written(let prototxt): "written \(prototxt.message.string("name"))"
    }
  }

  @Test func `tests come in Caffe's order`() throws {
    let definition = try read(
      Self.rest
        + """
        net: "generic" test_net: "file" test_net_param { name: "own" }
        test_iter: 1 test_iter: 2 test_iter: 3 test_iter: 4 test_interval: 5
        """)
    #expect(describe(definition.trainNet) == "generic")
    #expect(definition.testNets.map(describe) == ["written own", "file", "generic", "generic"])
    #expect(definition.settings.tests.map(\.iterations) == [1, 2, 3, 4])
  }

  @Test func `states are what net and solver say together`() throws {
    let definition = try read(
      Self.rest
        + """
        net: "n" test_iter: 1 test_iter: 2 test_interval: 1 train_state { level: 2 }
        test_state { stage: "a" } test_state { stage: "b" level: 1 }
        """)
    let net = try Prototxt.parse(
      text: "name: \"x\" state { level: 7 stage: \"own\" } layer { }", file: "n", as: .net)
    #expect(
      definition.trainNet.state(for: net) == NetState(phase: .train, level: 2, stages: ["own"]))
    #expect(
      definition.testNets.map { $0.state(for: net) } == [
        NetState(phase: .test, level: 7, stages: ["own", "a"]),
        NetState(phase: .test, level: 1, stages: ["own", "b"]),
      ])
  }

  @Test func `a net of the solver's own is used as it stands`() throws {
    let definition = try read(
      Self.rest + "train_net_param { name: \"t\" layer { name: \"l\" type: \"Silence\" } }")
    #expect(describe(definition.trainNet) == "written t")
    #expect(try definition.trainNet.prototxt().message.count("layer") == 1)
  }

  @Test func `a missing net is an error where it is named`() throws {
    let definition = try read(Self.rest + "\n train_net: \"nowhere.prototxt\"")
    #expect {
      _ = try definition.trainNet.prototxt()
    } throws: {
      "\($0)" == "s.prototxt:2:13: the net \"nowhere.prototxt\": there is no such file"
    }
  }

  // MARK: - Mistakes

  static let mistakes: [(text: String, line: String)] = [
    ("base_lr: 1 lr_policy: \"fixed\" net: \"n\"", "s.prototxt: max_iter is missing; it says "),
    ("max_iter: 1 lr_policy: \"fixed\" net: \"n\"", "s.prototxt: base_lr, the learning rate, is"),
    ("base_lr: 1 max_iter: 1 net: \"n\"", "s.prototxt: lr_policy is missing; one of fixed, step"),
    (rest, "s.prototxt: no net is named; give net, or train_net and test_net"),
    (
      rest + "\nnet: \"n\" train_net: \"t\"",
      "s.prototxt:2:6: train_net and net both say what to train; keep one"
    ),
    (
      minimal + "lr_policy: \"steps\"",
      "s.prototxt:4:12: unknown lr_policy \"steps\"; did you mean \"step\"?"
    ),
    (
      minimal + "lr_policy: \"cosine\"",
      "s.prototxt:4:12: unknown lr_policy \"cosine\"; known are fixed, step, exp"
    ),
    (
      minimal + "lr_policy: \"multistep\" gamma: 1",
      "s.prototxt:4:12: lr_policy \"multistep\" needs stepvalue"
    ),
    (
      minimal + "lr_policy: \"multistep\" gamma: 1 stepvalue: 9\nstepvalue: 9",
      "s.prototxt:5:12: stepvalue 9 stands behind 9; give them in rising order"
    ),
    (
      minimal + "lr_policy: \"step\" gamma: 1", "s.prototxt:4:12: lr_policy \"step\" needs stepsize"
    ),
    (minimal + "lr_policy: \"exp\"", "s.prototxt:4:12: lr_policy \"exp\" needs gamma"),
    (
      minimal + "lr_policy: \"step\" gamma: 1\nstepsize: 0",
      "s.prototxt:5:11: stepsize is 0; it must be at least 1"
    ),
    (
      rest + "net: \"n\"\ntype: \"adam\"",
      "s.prototxt:2:7: unknown solver type \"adam\"; did you mean \"Adam\"?"
    ),
    (
      rest + "net: \"n\" type: \"SGD\"\nsolver_type: SGD",
      "s.prototxt:2:14: type and the old solver_type say the same; keep type"
    ),
    (
      rest + "net: \"n\" type: \"AdaGrad\"\nmomentum: 0.9",
      "s.prototxt:2:11: AdaGrad works without momentum; remove it"
    ),
    (
      rest + "net: \"n\" type: \"RMSProp\"\nrms_decay: 1",
      "s.prototxt:2:12: rms_decay is 1.0; it must be at least 0 and below 1"
    ),
    (
      rest + "net: \"n\"\nregularization_type: \"L3\"",
      "s.prototxt:2:22: unknown regularization_type \"L3\"; known are "
        + "L1, L2, ISTA, L1_DNS, L1_Winograd"
    ),
    (
      rest + "net: \"n\"\nregularization_type: \"L2_DNS\"",
      "s.prototxt:2:22: regularization_type \"L2_DNS\" does not work in SkimCaffe either; use one of "
        + "L1, L2, ISTA, L1_DNS, L1_Winograd"
    ),
    (rest + "net: \"n\"\niter_size: 0", "s.prototxt:2:12: iter_size is 0; it must be at least 1"),
    (
      rest + "train_net: \"n\"\ntest_iter: 1\ntest_interval: 1",
      "s.prototxt:2:12: 1 test_iter for 0 test nets; give as many of each"
    ),
    (
      rest + "train_net: \"n\"\ntest_net: \"t\"",
      "s.prototxt:2:11: 0 test_iter for 1 test nets; give one for each"
    ),
    (
      rest + "net: \"n\"\ntest_iter: 1 test_iter: 0\ntest_interval: 1",
      "s.prototxt:2:25: test_iter is 0; it must be at least 1"
    ),
    (
      rest + "net: \"n\"\ntest_iter: 5",
      "s.prototxt:2:12: test_iter without test_interval; say how many"
    ),
    (
      rest + "net: \"n\" test_iter: 5 test_interval: 1\ntest_state { } test_state { }",
      "s.prototxt:2:12: 2 test_state for 1 test nets; give none, or one for each"
    ),
    (
      rest + "net: \"n\"\nmomentum: nan", "s.prototxt:2:11: momentum is nan, not a finite number"
    ),
  ]

  @Test(arguments: mistakes)
  func `a mistake is one line at its place`(_ mistake: (text: String, line: String)) {
    let line = refusal(mistake.text)
    #expect(line.hasPrefix(mistake.line), "\(line)")
    #expect(!line.contains("\n"))
  }

  @Test func `a field of a fork decides the dialect`() throws {
    func dialect(_ text: String) throws -> TrainingDialect {
      TrainingDialect.detected(in: [try Prototxt.parse(text: text, file: "s")]).dialect
    }
    #expect(try dialect(Self.minimal) == .bvlc)
    #expect(try dialect(Self.minimal + "breadth_decay: 0") == .scnn)
    #expect(try dialect(Self.minimal + "prune_threshold: 0") == .skim)
    #expect(try dialect(Self.minimal + "surgery_stop_iter: 0") == .dnsAgain)
    #expect(try dialect(Self.minimal + "force_decay: 0") == .bvlc)
  }
}
