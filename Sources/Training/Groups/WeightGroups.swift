import IR

/// Weights that shall become zero together: group k is the union of tile k of each member.
public struct WeightGroups: Hashable, Sendable {
  /// Tiles of one parameter.
  public struct Member: Hashable, Sendable {
    /// The parameter's place among the solver's.
    public var parameter: Int
    public var tiling: Tiling

    public init(parameter: Int, tiling: Tiling) {
      self.parameter = parameter
      self.tiling = tiling
    }
  }

  /// The first member is what reports name.
  public let members: [Member]
  /// Of the penalty strength * sum of the groups' Euclidean norms.
  public var strength: Float

  /// - Precondition: there is a member, all have as many tiles, and each parameter stands once.
  public init(_ members: [Member], strength: Float = 0) {
    precondition(!members.isEmpty, "groups have members")
    precondition(Set(members.map(\.tiling.count)).count == 1, "as many tiles in every member")
    precondition(Set(members.map(\.parameter)).count == members.count, "each parameter once")
    self.members = members
    self.strength = strength
  }

  public var count: Int { members[0].tiling.count }

  /// Elements of one group.
  public var area: Int { members.reduce(0) { $0 + $1.tiling.area } }

  /// The sum of squares of each group.
  public func squares(in parameters: [Parameter]) -> [Double] {
    var sums = [Double](repeating: 0, count: count)
    for member in members {
      guard let values = parameters[member.parameter].values.baseAddress else { continue }
      member.tiling.addSquares(of: values, to: &sums)
    }
    return sums
  }

  /// Multiplies each group by its factor.
  public func scale(_ parameters: [Parameter], by factors: [Float]) {
    guard factors.contains(where: { $0 != 1 }) else { return }
    for member in members {
      guard let values = parameters[member.parameter].values.baseAddress else { continue }
      member.tiling.scale(values, by: factors)
    }
  }
}
