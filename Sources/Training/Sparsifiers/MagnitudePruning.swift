import IR

/// Prunes the smallest weights, gradually: the cubic schedule of Zhu and Gupta ("To prune, or not to prune", 2017).
///
/// At iterations t = begin, begin + frequency, … up to `end` the share of zeros becomes
/// s(t) = final + (initial - final) (1 - (t - begin) / (end - begin))^3; between and after them the zeros stay. Only
/// weights of Convolution and InnerProduct are pruned, or whole groups of them; what is pruned once stays so.
public final class MagnitudePruning: Sparsifier {
  /// Where the share of zeros is counted.
  public enum Scope: String, Hashable, Sendable, CaseIterable {
    /// One threshold for all weights: layers with many small weights lose more.
    case global
    /// The same share in every layer.
    case uniform
  }

  public struct Schedule: Hashable, Sendable, Codable {
    /// The share of zeros at the start and at the end, 0 to 1.
    public var initial: Double
    public var final: Double
    /// The iteration of the first pruning, and that of the last.
    public var begin: Int
    public var end: Int
    /// Iterations between two prunings.
    public var frequency: Int

    public init(initial: Double = 0, final: Double, begin: Int, end: Int, frequency: Int) {
      precondition((0...1).contains(initial) && (0...1).contains(final), "shares are 0 to 1")
      precondition(begin >= 0 && begin <= end && frequency >= 1, "prunings in order")
      self.initial = initial
      self.final = final
      self.begin = begin
      self.end = end
      self.frequency = frequency
    }

    /// The share of zeros that iteration `t` prunes to; nil if it prunes nothing.
    public func sparsity(at t: Int) -> Double? {
      guard t >= begin, t <= end, t == end || (t - begin) % frequency == 0 else { return nil }
      guard end > begin else { return final }
      let left = 1 - Double(t - begin) / Double(end - begin)
      return final + (initial - final) * left * left * left
    }
  }

  /// Of the run that began; a resumed one goes on with it.
  public private(set) var schedule: Schedule
  private let groups: TargetGroups
  private let parameters: [Parameter]
  private var masks: ParameterMasks

  /// - Parameters:
  ///   - parameters: of the net that is trained.
  ///   - net: its definition, which tells what can be pruned.
  public convenience init(
    schedule: Schedule, scope: Scope = .global, parameters: [Parameter], net: TrainingNet
  ) {
    self.init(
      schedule: schedule,
      groups: TargetGroups(
        elementsOf: parameters, in: net, share: 1, isUniform: scope == .uniform),
      parameters: parameters)
  }

  /// - Parameter groups: what is pruned; each scope loses its own share times that of the schedule.
  init(schedule: Schedule, groups: TargetGroups, parameters: [Parameter]) {
    self.schedule = schedule
    self.groups = groups
    self.parameters = parameters
    masks = ParameterMasks(parameters.map { _ in nil }, of: parameters)
  }

  public var name: String { "magnitude pruning" }

  public func beginIteration(_ progress: TrainingProgress) {
    guard let sparsity = schedule.sparsity(at: progress.iteration), sparsity > 0 else { return }
    let pruned = groups.masks(
      groups.survivors(parameters, progress: sparsity), parameters)
    for (index, mask) in pruned.enumerated() where mask != nil {
      masks[index] = mask
      masks.apply(to: parameters[index].values, of: index)
    }
  }

  /// Gradients of pruned weights do not count for their norm.
  public func afterBackward(_ progress: TrainingProgress) {
    guard progress.clipsGradients else { return }
    for (index, parameter) in parameters.enumerated() {
      masks.apply(to: parameter.gradient, of: index)
    }
  }

  public func limitUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    masks.apply(to: parameter.gradient, of: index, range: range)
  }

  public func mask(of index: Int) -> [Bool]? { masks[index] }

  private struct State: Codable {
    var masks: [UInt8]
    var schedule: Schedule
  }

  public var state: [UInt8] {
    MethodState.bytes(of: State(masks: masks.state, schedule: schedule))
  }

  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: State = try MethodState.value(of: state, name)
    schedule = saved.schedule
    self.masks = try self.masks.replaced(by: masks, saved.masks, parameters: parameters)
  }
}

/// Finds the element of some rank by magnitude without sorting: magnitudes are ordered as the bits of floats are.
enum MagnitudeSelection {
  static func key(_ value: Float) -> UInt32 { value.magnitude.bitPattern }

  /// The key of the `rank`-th smallest magnitude, counted from 1, and how many elements of that key are among the
  /// `rank` smallest.
  ///
  /// - Precondition: there are at least `rank` elements.
  static func threshold(of arrays: [UnsafeMutableBufferPointer<Float>], rank: Int)
    -> (key: UInt32, ties: Int)
  {
    let (high, left) = bin(of: rank, in: histogram(arrays) { Int($0 >> 16) })
    let (low, ties) = bin(
      of: left, in: histogram(arrays) { Int($0 >> 16) == high ? Int($0 & 0xffff) : nil })
    return (UInt32(high) << 16 | UInt32(low), ties)
  }

  private static func histogram(
    _ arrays: [UnsafeMutableBufferPointer<Float>], _ bin: (UInt32) -> Int?
  ) -> [Int] {
    var counts = [Int](repeating: 0, count: 1 << 16)
    for array in arrays {
      for value in array {
        if let bin = bin(key(value)) { counts[bin] += 1 }
      }
    }
    return counts
  }

  /// The bin in which the `rank`-th element lies, and its rank there.
  private static func bin(of rank: Int, in counts: [Int]) -> (bin: Int, rank: Int) {
    var left = rank
    for (bin, count) in counts.enumerated() {
      if left <= count { return (bin, left) }
      left -= count
    }
    preconditionFailure("fewer elements than the rank")
  }
}
