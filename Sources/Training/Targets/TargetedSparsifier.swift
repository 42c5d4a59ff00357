import IR

/// Where a target stands, for people.
public struct TargetReport: Hashable, Sendable {
  public struct Scope: Hashable, Sendable {
    /// A layer, or the whole net.
    public var title: String
    /// The share of zero groups that is there, the one that is wanted now, and the one in the end.
    public var reached: Double
    public var wanted: Double
    public var final: Double
    /// What drives it: the strength of a penalty, or c_rate.
    public var strength: Float
  }

  public var iteration: Int
  /// How many looks came before.
  public var number: Int
  public var structure: ZeroStructure
  public var scopes: [Scope]
  /// Whether the zeros were fixed now, so that the rest of the run is fine-tuning.
  public var areFixed: Bool
}

/// Reaches a wanted share of zeros with one method, then keeps them: sparsify, then fine-tune.
///
/// While zeros are made, every few iterations the method's strength is adjusted to how far things are behind the plan.
/// When the zeros are fixed, exactly the wanted share of groups is kept, the largest ones; if the method made more zeros
/// than wanted, they stay.
public final class TargetedSparsifier: Sparsifier {
  /// Of the run that began; a resumed one goes on with it.
  public private(set) var plan: SparsifyingPlan
  private let groups: TargetGroups
  private let parameters: [Parameter]
  private let method: any SteeredMethod
  private var masks: ParameterMasks
  private var areFixed = false
  private var pending: TargetReport?

  init(
    _ groups: TargetGroups, _ method: any SteeredMethod, plan: SparsifyingPlan,
    parameters: [Parameter]
  ) {
    self.groups = groups
    self.method = method
    self.plan = plan
    self.parameters = parameters
    masks = ParameterMasks(parameters.map { _ in nil }, of: parameters)
  }

  public var name: String { "target by \(method.name)" }
  public var hidesDenseWeights: Bool { !areFixed && method.hidesDenseWeights }

  /// What there is to say since the last call.
  public func takeReport() -> TargetReport? {
    defer { pending = nil }
    return pending
  }

  private func isAtWork(_ iteration: Int) -> Bool { !areFixed && iteration >= plan.begin }

  public func beginIteration(_ progress: TrainingProgress) {
    guard !areFixed else { return }
    if progress.iteration >= plan.end {
      fix(progress.iteration)
      return
    }
    method.beginIteration(progress)
    guard plan.looks(at: progress.iteration) else { return }
    let share = plan.progress(at: progress.iteration)
    let states = zip(groups.scopes, reached).map {
      ScopeState(wanted: $0.share * share, reached: $1, final: $0.share)
    }
    method.steer(states, progress)
    report(states, progress.iteration)
  }

  /// The shares of zeros as the net sees its weights.
  private var reached: [Double] {
    guard method.hidesDenseWeights else { return groups.reached(parameters) }
    method.beforeTest()
    defer { method.afterTest() }
    return groups.reached(parameters)
  }

  private func fix(_ iteration: Int) {
    method.finish()
    let fixed = groups.masks(groups.survivors(parameters, keepsZeros: true), parameters)
    for (index, mask) in fixed.enumerated() where mask != nil {
      masks[index] = mask
      masks.apply(to: parameters[index].values, of: index)
    }
    areFixed = true
    report(
      zip(groups.scopes, groups.reached(parameters)).map {
        ScopeState(wanted: $0.share, reached: $1, final: $0.share)
      }, iteration)
  }

  private func report(_ states: [ScopeState], _ iteration: Int) {
    let strengths = method.strengths
    pending = TargetReport(
      iteration: iteration, number: max(0, iteration - plan.begin) / plan.interval,
      structure: groups.structure,
      scopes: zip(groups.scopes, states).enumerated().map { index, pair in
        TargetReport.Scope(
          title: pair.0.title, reached: pair.1.reached, wanted: pair.1.wanted,
          final: pair.1.final, strength: index < strengths.count ? strengths[index] : 0)
      }, areFixed: areFixed)
  }

  public func beforeForward(_ progress: TrainingProgress) {
    if isAtWork(progress.iteration) { method.beforeForward(progress) }
  }

  public func afterBackward(_ progress: TrainingProgress) {
    if isAtWork(progress.iteration) { method.afterBackward(progress) }
    guard areFixed, progress.clipsGradients else { return }
    for index in parameters.indices { masks.apply(to: parameters[index].gradient, of: index) }
  }

  public func beforeTest() {
    if !areFixed { method.beforeTest() }
  }

  public func afterTest() {
    if !areFixed { method.afterTest() }
  }

  public func beginUpdate(_ progress: TrainingProgress) {
    if isAtWork(progress.iteration) { method.beginUpdate(progress) }
  }

  public func limitUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    masks.apply(to: parameter.gradient, of: index, range: range)
  }

  public func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    if !areFixed { method.finishUpdate(of: parameter, index: index, range: range) }
  }

  public func endIteration(_ progress: TrainingProgress) {
    if isAtWork(progress.iteration) { method.endIteration(progress) }
  }

  public func mask(of index: Int) -> [Bool]? {
    areFixed ? masks[index] : method.mask(of: index)
  }

  public func adopt(_ mask: [Bool], of index: Int) -> Bool { method.adopt(mask, of: index) }

  private struct State: Codable {
    var method: [UInt8]
    var masks: [UInt8]
    var areFixed: Bool
    var plan: SparsifyingPlan
  }

  public var state: [UInt8] { deferredState()() }

  public func deferredState() -> () -> [UInt8] {
    let (method, masks) = (method.deferredState(), masks.state)
    let (areFixed, plan) = (areFixed, plan)
    return {
      MethodState.bytes(
        of: State(method: method(), masks: masks, areFixed: areFixed, plan: plan))
    }
  }

  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: State = try MethodState.value(of: state, name)
    areFixed = saved.areFixed
    plan = saved.plan
    self.masks = try self.masks.replaced(by: masks, saved.masks, parameters: parameters)
    try method.restore(saved.method, masks: masks)
  }
}
