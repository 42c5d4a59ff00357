import IR

/// Group lasso as structured sparsity learning has it (Wen et al. 2016): penalty strength * ||W_G|| for each group,
/// gradient strength * W_G / ||W_G||, which is 0 where the group is 0.
///
/// No factor for the size of groups, no smoothing: as in scnn.
public final class GroupLasso: Regularizer {
  private let groups: [WeightGroups]
  /// What to multiply each weight with, by set of groups and group.
  private var factors: [[Float]]
  /// The penalty of each set, reported with its first member.
  private var terms: [Double]
  private let byParameter: [[(set: Int, tiling: Tiling, isFirst: Bool)]]

  /// - Parameters:
  ///   - groups: several sets may hold the same weights; their penalties add up.
  ///   - parameters: how many there are.
  public init(_ groups: [WeightGroups], parameters: Int) {
    self.groups = groups
    factors = groups.map { [Float](repeating: 0, count: $0.count) }
    terms = groups.map { _ in 0 }
    var byParameter = [[(set: Int, tiling: Tiling, isFirst: Bool)]](
      repeating: [], count: parameters)
    for (set, group) in groups.enumerated() {
      for (place, member) in group.members.enumerated() {
        byParameter[member.parameter].append((set, member.tiling, place == 0))
      }
    }
    self.byParameter = byParameter
  }

  public func prepare(_ parameters: [Parameter]) {
    for (set, group) in groups.enumerated() {
      var sum = 0.0
      for (index, square) in group.squares(in: parameters).enumerated() {
        let norm = square.squareRoot()
        sum += norm
        factors[set][index] = norm > 0 ? group.strength / Float(norm) : 0
      }
      terms[set] = Double(group.strength) * sum
    }
  }

  public func add(
    to parameter: Parameter, index: Int, range: Range<Int>, reportsTerm: Bool
  ) -> Double {
    guard let values = parameter.values.baseAddress,
      let gradient = parameter.gradient.baseAddress
    else { return 0 }
    var term = 0.0
    for (set, tiling, isFirst) in byParameter[index] {
      factors[set].withUnsafeBufferPointer {
        tiling.add(values, times: $0, to: gradient, in: range)
      }
      if reportsTerm, isFirst, range.lowerBound == 0 { term += terms[set] }
    }
    return term
  }
}
