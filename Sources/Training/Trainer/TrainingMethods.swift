import IR

/// The penalties and sparsifying methods that a net's and a solver's fields ask for, and the one that drives a target.
public struct TrainingMethods {
  public private(set) var regularizers: [any Regularizer] = []
  public private(set) var sparsifiers: [any Sparsifier] = []

  /// What the fields of Caffe's forks ask for.
  ///
  /// - Parameters:
  ///   - parameters: of the net that is trained.
  ///   - random: what network surgery is drawn from.
  public init(
    _ parameters: [Parameter], in net: TrainingNet, _ settings: SolverSettings,
    random: RandomSource
  ) {
    let fields = settings.forkFields
    addGroupLasso(FieldGroups(parameters, in: net).groups(fields), parameters, settings)
    let kinds = Set(parameters.map { $0.settings.regularization ?? settings.regularization })
    let usual = settings.regularization
    if kinds.contains(.l1Winograd) {
      regularizers.append(WinogradPenalty(strength: settings.weightDecay, usual: usual))
      sparsifiers.append(WinogradPruning(fields, usual: usual, parameters: parameters))
    }
    let thresholds = settings.dialect == .skim && kinds.contains(.l1)
    if thresholds || kinds.contains(.softThreshold) {
      sparsifiers.append(
        ThresholdPruning(
          fields, decay: settings.weightDecay, usual: usual, prunesL1: settings.dialect == .skim))
    }
    if kinds.contains(.l1WithSplicing) {
      sparsifiers.append(SplicedThreshold(fields, usual: usual, parameters: parameters))
    }
    addSurgery(parameters, settings, random)
  }

  private mutating func addGroupLasso(
    _ groups: [WeightGroups], _ parameters: [Parameter], _ settings: SolverSettings
  ) {
    // The group-lasso step is disabled in SkimCaffe, and its published nets rely on that.
    guard !groups.isEmpty, settings.dialect != .skim else { return }
    if settings.forkFields.usesProximalGroups {
      sparsifiers.append(
        ProximalGroupLasso(groups, of: parameters, momentum: settings.momentum))
    } else {
      regularizers.append(GroupLasso(groups, parameters: parameters.count))
    }
  }

  private mutating func addSurgery(
    _ parameters: [Parameter], _ settings: SolverSettings, _ random: RandomSource
  ) {
    let surgeries = parameters.compactMap(\.settings.sparsity.surgery)
    var asksForOriginal = false
    var asksForOther = false
    for surgery in surgeries {
      switch surgery {
      case .original: asksForOriginal = true
      case .reimplemented: asksForOther = true
      }
    }
    if asksForOriginal { sparsifiers.append(NetworkSurgery(parameters, random: random)) }
    if asksForOther {
      sparsifiers.append(ReimplementedSurgery(parameters, settings.forkFields, random: random))
    }
  }

  /// Adds the method that drives a target.
  ///
  /// - Throws: a target that the net, or the method, cannot have.
  public mutating func add(
    _ target: SparsityTarget, plan: SparsifyingPlan, _ parameters: [Parameter],
    in net: TrainingNet, _ settings: SolverSettings, random: RandomSource
  ) throws(Diagnostic) {
    guard target.method.canMake(target.structure) else {
      throw .error(
        "--method \(target.method.rawValue) makes single weights zero; for --structure "
          + "\(target.structure.rawValue) use ssl or magnitude")
    }
    let groups = try TargetGroups(
      target, parameters, in: net, isUniform: target.method == .magnitude)
    let method: any SteeredMethod
    switch target.method {
    case .magnitude:
      sparsifiers.append(
        MagnitudePruning(
          schedule: .init(final: 1, begin: plan.begin, end: plan.full, frequency: plan.interval),
          groups: groups, parameters: parameters))
      return
    case .ssl where target.structure != .element:
      method = SteeredLasso(groups, parameters, settings, plan)
    case .ssl, .l1: method = SteeredL1(groups, parameters, settings, plan)
    case .guided: method = SteeredGuidance(groups, parameters, in: net, settings, plan)
    case .dns: method = SteeredSurgery(groups, parameters, plan, random: random)
    }
    sparsifiers.append(
      TargetedSparsifier(groups, method, plan: plan, parameters: parameters))
  }
}
