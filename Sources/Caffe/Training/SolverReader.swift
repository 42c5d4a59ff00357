import Foundation
import IR

/// Reads solver files.
public enum SolverReader {
  /// What a solver file says.
  ///
  /// - Parameter prototxt: a solver; its file's name stands in for a missing `snapshot_prefix`, as in Caffe.
  /// - Throws: the first thing that is missing, unknown or at odds with another, at its place.
  public static func read(_ prototxt: Prototxt) throws(Diagnostic) -> SolverDefinition {
    guard prototxt.kind == .solver else {
      throw .error("this is a net, not a solver", file: prototxt.message.file)
    }
    let fields = SolverFields(message: prototxt.message)
    var settings = SolverSettings()
    try fields.readSchedule(into: &settings)
    try fields.readUpdate(into: &settings)
    fields.readSnapshots(into: &settings)
    settings.forkFields = fields.forkFields
    settings.debugInfo = fields.message.bool("debug_info")
    let nets = SolverNets(fields: fields)
    let tests = try nets.testNets()
    settings.tests = tests.map { SolverSettings.Test(iterations: $0.iterations) }
    settings.testInterval = try nets.testInterval(tests: tests.count)
    settings.testsFirst = fields.message.bool("test_initialization")
    settings.testComputesLoss = fields.message.bool("test_compute_loss")
    return SolverDefinition(
      settings: settings, trainNet: try nets.trainNet(), testNets: tests.map(\.net),
      weights: fields.weights, findings: prototxt.warnings + fields.findings)
  }
}

/// The fields of a solver, and how they are refused.
struct SolverFields {
  let message: TextMessage

  func refusal(_ what: String, at field: String, index: Int = 0) -> Diagnostic {
    .error(what, at: message.location(of: field, index: index))
  }

  /// An error about the whole file.
  func missing(_ what: String) -> Diagnostic { .error(what, file: message.file) }

  func integer(_ name: String, atLeast least: Int) throws(Diagnostic) -> Int {
    let value = message.integer(name)
    guard value >= least else {
      throw refusal("\(name) is \(value); it must be at least \(least)", at: name)
    }
    return value
  }

  func finite(_ name: String) throws(Diagnostic) -> Float {
    let value = message.float(name)
    guard value.isFinite else {
      throw refusal("\(name) is \(value), not a finite number", at: name)
    }
    return value
  }

  // MARK: - How long, how often

  func readSchedule(into settings: inout SolverSettings) throws(Diagnostic) {
    guard message.has("max_iter") else {
      throw missing("max_iter is missing; it says after how many updates training ends")
    }
    settings.maximumIterations = try integer("max_iter", atLeast: 0)
    settings.batchesPerUpdate = try integer("iter_size", atLeast: 1)
    settings.averageLoss = try integer("average_loss", atLeast: 1)
    settings.display = try integer("display", atLeast: 0)
    settings.snapshotInterval = try integer("snapshot", atLeast: 0)
    let seed = message.integer("random_seed")
    settings.randomSeed = seed >= 0 ? UInt64(seed) : nil
  }

  // MARK: - Updates

  func readUpdate(into settings: inout SolverSettings) throws(Diagnostic) {
    guard message.has("base_lr") else { throw missing("base_lr, the learning rate, is missing") }
    settings.baseRate = try finite("base_lr")
    settings.momentum = try finite("momentum")
    settings.weightDecay = try finite("weight_decay")
    settings.rule = try rule()
    settings.policy = try policy()
    settings.regularization = try regularization(
      message.string("regularization_type"), at: message.location(of: "regularization_type"))
    let clip = message.float("clip_gradients")
    settings.clipGradients = clip >= 0 ? clip : nil
  }

  private static let types = ["SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"]

  private func rule() throws(Diagnostic) -> UpdateRule {
    var type = message.string("type")
    var field = "type"
    if message.has("solver_type") {
      guard !message.has("type") else {
        throw refusal("type and the old solver_type say the same; keep type", at: "solver_type")
      }
      field = "solver_type"
      let old = message.enumName("solver_type")
      type = Self.types.first { $0.uppercased() == old } ?? old
    }
    let delta = try finite("delta")
    switch type {
    case "SGD": return .sgd
    case "Nesterov": return .nesterov
    case "AdaGrad":
      try requireNoMomentum(for: type)
      return .adaGrad(delta: delta)
    case "RMSProp":
      try requireNoMomentum(for: type)
      let decay = message.float("rms_decay")
      guard decay >= 0, decay < 1 else {
        throw refusal("rms_decay is \(decay); it must be at least 0 and below 1", at: "rms_decay")
      }
      return .rmsProp(decay: decay, delta: delta)
    case "AdaDelta": return .adaDelta(delta: delta)
    case "Adam": return .adam(momentum2: try finite("momentum2"), delta: delta)
    default:
      throw refusal(
        "unknown solver type \(Spelling.quoted(type))"
          + (Spelling.nearest(to: type, among: Self.types)
            .map { "; did you mean \(Spelling.quoted($0))?" }
            ?? "; known are \(Self.types.joined(separator: ", "))"),
        at: field)
    }
  }

  private func requireNoMomentum(for type: String) throws(Diagnostic) {
    guard message.float("momentum") == 0 else {
      throw refusal("\(type) works without momentum; remove it", at: "momentum")
    }
  }

  private static let policies = ["fixed", "step", "exp", "inv", "multistep", "poly", "sigmoid"]

  private func policy() throws(Diagnostic) -> RatePolicy {
    let names = Self.policies.joined(separator: ", ")
    guard message.has("lr_policy") else { throw missing("lr_policy is missing; one of \(names)") }
    let name = message.string("lr_policy")
    let power = try finite("power")
    switch name {
    case "fixed": return .fixed
    case "step": return .step(gamma: try gamma(name), size: try stepSize(name, atLeast: 1))
    case "exp": return .exponential(gamma: try gamma(name))
    case "inv": return .inverse(gamma: try gamma(name), power: power)
    case "multistep": return .multistep(gamma: try gamma(name), steps: try steps())
    case "poly": return .polynomial(power: power)
    case "sigmoid":
      return .sigmoid(gamma: try gamma(name), size: try stepSize(name, atLeast: Int.min))
    default:
      throw refusal(
        "unknown lr_policy \(Spelling.quoted(name))"
          + (Spelling.nearest(to: name, among: Self.policies)
            .map { "; did you mean \(Spelling.quoted($0))?" } ?? "; known are \(names)"),
        at: "lr_policy")
    }
  }

  private func gamma(_ policy: String) throws(Diagnostic) -> Float {
    guard message.has("gamma") else {
      throw refusal("lr_policy \"\(policy)\" needs gamma", at: "lr_policy")
    }
    return try finite("gamma")
  }

  private func stepSize(_ policy: String, atLeast least: Int) throws(Diagnostic) -> Int {
    guard message.has("stepsize") else {
      throw refusal("lr_policy \"\(policy)\" needs stepsize", at: "lr_policy")
    }
    return try integer("stepsize", atLeast: least)
  }

  private func steps() throws(Diagnostic) -> [Int] {
    let steps = message.integers("stepvalue")
    guard !steps.isEmpty else {
      throw refusal("lr_policy \"multistep\" needs stepvalue, once for each step", at: "lr_policy")
    }
    for (index, pair) in zip(steps, steps.dropFirst()).enumerated() where pair.0 >= pair.1 {
      throw refusal(
        "stepvalue \(pair.1) stands behind \(pair.0); give them in rising order",
        at: "stepvalue", index: index + 1)
    }
    return steps
  }

  private func regularization(_ type: String, at location: SourceLocation?)
    throws(Diagnostic) -> Regularization
  {
    try Regularization.named(type, at: location)
  }

  // MARK: - The rest

  func readSnapshots(into settings: inout SolverSettings) {
    settings.snapshotPrefix = snapshotPrefix
    settings.snapshotFormat =
      SolverSettings.SnapshotFormat(rawValue: message.enumName("snapshot_format")) ?? .binary
    settings.snapshotsAfterTraining = message.bool("snapshot_after_train")
    settings.snapshotsGradients = message.bool("snapshot_diff")
  }

  /// As newer Caffe has it: the solver file's name if none is given, in the folder that is given if it is one.
  private var snapshotPrefix: String {
    let given = message.string("snapshot_prefix")
    let solver = URL(fileURLWithPath: message.file).deletingPathExtension()
    if given.isEmpty {
      return message.file.isEmpty ? "snapshot" : (message.file as NSString).deletingPathExtension
    }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: given, isDirectory: &isFolder)
    return exists && isFolder.boolValue
      ? (given as NSString).appendingPathComponent(solver.lastPathComponent) : given
  }

  /// Each entry may name several files, with commas between them.
  var weights: [String] {
    message.strings("weights").flatMap { $0.split(separator: ",").map(String.init) }
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  var forkFields: ForkFields {
    var fields = ForkFields()
    fields.breadthDecay = message.float("breadth_decay")
    fields.kernelShapeDecay = message.float("kernel_shape_decay")
    fields.blockGroupDecay = message.float("block_group_decay")
    fields.usesProximalGroups = message.enumName("group_lasso_solver") == "PROXIMAL"
    fields.spansGroups = message.bool("group_lasso_span")
    fields.pruneThreshold = message.float("prune_threshold")
    fields.measureThreshold = message.float("measure_threshold")
    fields.maximumThresholdFactor = message.float("max_threshold_factor")
    fields.winogradSparsityFactor = message.float("winograd_sparsity_factor")
    fields.adjustsWinogradThreshold = message.integer("winograd_adjust_threshold") == 1
    fields.forceDecay = message.float("force_decay")
    fields.surgeryStop =
      message.has("surgery_stop_iter") ? message.integer("surgery_stop_iter") : nil
    fields.surgeryGamma = message.float("surgery_iter_gamma")
    fields.surgeryPower = message.float("surgery_iter_power")
    fields.surgeryForgetsInTests = message.bool("surgery_zeroes_in_tests")
    return fields
  }

  var findings: [Diagnostic] {
    guard message.has("solver_mode"), message.enumName("solver_mode") == "GPU" else { return [] }
    return [
      .note("solver_mode: GPU: the CPU is used", at: message.location(of: "solver_mode"))
    ]
  }
}

extension Regularization {
  /// - Throws: at `location`, if there is no such type here.
  static func named(_ type: String, at location: SourceLocation?) throws(Diagnostic)
    -> Regularization
  {
    if let known = Regularization(rawValue: type) { return known }
    let names = allCases.map(\.rawValue)
    let unfinished = ["L2_DNS", "L2_Winograd", "L1_DNS_Winograd", "L2_DNS_Winograd"]
    guard !unfinished.contains(type) else {
      throw .error(
        "regularization_type \"\(type)\" does not work in SkimCaffe either; use one of "
          + names.joined(separator: ", "), at: location)
    }
    throw .error(
      "unknown regularization_type \(Spelling.quoted(type)); known are "
        + names.joined(separator: ", "), at: location)
  }
}
