import IR

/// Group lasso by its proximal step (Parikh and Boyd 2014, 6.5.1): behind each update every group shrinks by
/// step * strength, W_G *= max(0, 1 - step * strength / ||W_G||), and is exactly zero when its norm was below that.
///
/// The step is learning rate / (1 - momentum): what a constant gradient moves weights by in the end, so that a strength
/// means the same here and in the sub-gradient form. Where sets of groups overlap (rows and columns), their steps follow
/// each other.
public final class ProximalGroupLasso: Sparsifier {
  private let groups: [WeightGroups]
  private let parameters: [Parameter]
  private let momentum: Float

  /// - Parameter groups: all members of a set have the same rate factor in the net, or that of the first counts.
  public init(_ groups: [WeightGroups], of parameters: [Parameter], momentum: Float) {
    self.groups = groups
    self.parameters = parameters
    self.momentum = momentum
  }

  public var name: String { "proximal group lasso" }

  public func endIteration(_ progress: TrainingProgress) {
    for group in groups where group.strength > 0 {
      let factor = parameters[group.members[0].parameter].settings.rateFactor
      let amount = progress.rate * factor * group.strength / max(1 - momentum, 1e-3)
      Self.shrink(group, parameters) { _ in amount }
    }
  }

  /// One proximal step: the norm of every group is its amount less, at least 0.
  static func shrink(
    _ group: WeightGroups, _ parameters: [Parameter], by amount: (Int) -> Float
  ) {
    group.scale(
      parameters,
      by: group.squares(in: parameters).enumerated().map { index, square in
        let (norm, amount) = (Float(square.squareRoot()), amount(index))
        return norm > amount ? 1 - amount / norm : 0
      })
  }
}
