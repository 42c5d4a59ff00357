import Caffe
import Foundation
import IR
import Training

/// A training run from a solver file to its last snapshot: `sparsec train`.
public final class TrainJob {
  private let options: TrainOptions
  /// What somebody outside wants now; asked between two steps.
  public var request: () -> TrainingRequest? = { nil }
  /// Takes notes and warnings.
  public var report: (Diagnostic) -> Void = { _ in }
  /// Shows how far training has come.
  public var progress = Progress.onStandardError()

  /// Whether the net did not start untrained.
  private var hasLoaded = false

  public init(_ options: TrainOptions) { self.options = options }

  /// Trains.
  ///
  /// - Throws: the first thing wrong with the files, the data, or the training itself.
  public func run() throws(Diagnostic) -> Trainer.End {
    let solver = try Prototxt.read(options.solver, as: .solver)
    var definition = try SolverReader.read(solver)
    definition.findings.forEach(report)
    try settle(&definition.settings)
    let trainFile = try definition.trainNet.prototxt()
    definition.settings.dialect = dialect(of: [solver, trainFile])
    let settings = definition.settings
    let seed = settings.randomSeed ?? UInt64.random(in: 0...UInt64.max)
    let assembly = NetAssembly(
      dialect: settings.dialect, settings: settings, seed: seed, threads: options.threads)
    let (net, trained) = try assembly.net(
      trainFile, state: definition.trainNet.state(for: trainFile))
    var tests: [ExecutedNet] = []
    for test in definition.testNets {
      let file = try test.prototxt()
      tests.append(
        try assembly.net(file, state: test.state(for: file), sharing: trained.parameters).net)
    }
    try SnapshotFiles.requireWritable(prefix: settings.snapshotPrefix)
    let methods = try methods(settings, trained, net, seed: seed)
    let trainer = Trainer(
      settings: settings, net: trained, definition: net, testNets: tests,
      regularizers: methods.regularizers, sparsifiers: methods.sparsifiers,
      threads: options.threads,
      save: { [masks = options.maskFormat] (snapshot) throws(Diagnostic) in
        try SnapshotFiles.write(
          snapshot, prefix: settings.snapshotPrefix, format: settings.snapshotFormat, masks: masks
        ).state
      })
    if options.target != nil {
      trainer.recoversFromDivergence(interval: settings.maximumIterations / 50)
    }
    try start(trainer, trained, net, weights: definition.weights)
    return try run(trainer, trained, net: net)
  }

  // MARK: - Before the run

  /// Options have the last word over the solver file.
  private func settle(_ settings: inout SolverSettings) throws(Diagnostic) {
    if let iterations = options.iterations { settings.maximumIterations = iterations }
    if let seed = options.seed { settings.randomSeed = seed }
    guard options.threads >= 1 else { throw .error("--threads \(options.threads): at least 1") }
    guard options.snapshot == nil || options.weights.isEmpty else {
      throw .error("--snapshot goes on with its own weights; leave out --weights")
    }
  }

  private func dialect(of files: [Prototxt]) -> TrainingDialect {
    if let dialect = options.dialect { return dialect }
    let (dialect, note) = TrainingDialect.detected(in: files)
    if let note { report(note) }
    return dialect
  }

  /// The methods that files ask for, and the one that options ask for.
  private func methods(
    _ settings: SolverSettings, _ trained: ExecutedNet, _ net: TrainingNet, seed: UInt64
  ) throws(Diagnostic) -> TrainingMethods {
    // Streams that the nets' own numbers never use.
    let random = { (stream: UInt64) in RandomSource(seed: seed, stream: 1 << 40 + stream) }
    var methods = TrainingMethods(trained.parameters, in: net, settings, random: random(0))
    if let target = options.target {
      let plan = SparsifyingPlan(
        iterations: settings.maximumIterations, startsUntrained: options.weights.isEmpty)
      try methods.add(
        target, plan: plan, trained.parameters, in: net, settings, random: random(1))
    }
    return methods
  }

  /// Gives the net what it starts from: a snapshot, or other nets' weights.
  private func start(
    _ trainer: Trainer, _ trained: ExecutedNet, _ net: TrainingNet, weights: [String]
  ) throws(Diagnostic) {
    if let path = options.snapshot {
      let (snapshot, findings) = try SnapshotFiles.read(path, for: net)
      findings.forEach(report)
      try trainer.restore(snapshot, file: path)
      hasLoaded = true
      return
    }
    let paths = options.weights.isEmpty ? weights : options.weights
    guard !paths.isEmpty else { return }
    hasLoaded = true
    let (layers, findings) = try SnapshotFiles.weights(paths, for: net)
    findings.forEach(report)
    let files = paths.joined(separator: ",")
    guard !layers.isEmpty else { throw .error("has no layer of this net", file: files) }
    try trainer.load(layers, file: files)
    if options.keepsZeros { trainer.keepZeros() }
  }

  // MARK: - The run

  /// How sparse the layers are that two of the forks speak of, if anything was loaded.
  private func loaded(_ trainer: Trainer, _ net: TrainingNet) -> [ParameterSparsity] {
    guard hasLoaded, [.scnn, .skim].contains(trainer.settings.dialect) else { return [] }
    let layers = net.layers.filter { ["Convolution", "InnerProduct"].contains($0.typeName) }
    let names = Set(layers.map(\.name))
    return trainer.sparsity.filter { $0.index == 0 && names.contains($0.layer) }
  }

  private func run(_ trainer: Trainer, _ trained: ExecutedNet, net: TrainingNet)
    throws(Diagnostic) -> Trainer.End
  {
    let watchers = try TrainingWatchers(
      options, dialect: trainer.settings.dialect,
      display: { [progress, report] lines in
        TrainingDisplay(
          iterations: trainer.settings.maximumIterations,
          itemsPerIteration: net.items * trainer.settings.batchesPerUpdate, progress: progress,
          lines: lines, report: report)
      })
    if net.debugInfo { watchers.debugValues = { trained.debugValues } }
    defer { progress.clear() }
    watchers.begin(
      net: net.name, policy: trainer.settings.policy.name, resumedFrom: options.snapshot)
    watchers.loaded(loaded(trainer, net))
    let end = try trainer.run(observer: watchers, request: request)
    watchers.end(end)
    if let failure = watchers.failure { throw failure }
    return end
  }
}

extension TrainingNet {
  /// Items of one batch: what the first data layer's first top has; 0 if no layer makes data.
  var items: Int {
    for layer in layers {
      if case .data = layer.operation, let shape = layer.outputShapes.first, shape.axes > 0 {
        return shape[0]
      }
    }
    return 0
  }
}
