import IR

/// Which weights pruning has set to zero.
public enum ZeroPattern: Hashable, Sendable, CaseIterable {
  /// None.
  case dense
  /// Anywhere, half of them.
  case scattered
  /// Anywhere, most of them.
  case scatteredWidely
  /// Whole filters: rows of the weight matrix.
  case filters
  /// Whole input channels: they are zero in every filter of their group.
  case channels
  /// Whole filters and whole channels.
  case filtersAndChannels
  /// Single kernel positions of a channel, the same in all filters: columns of the matrix.
  case columns
  /// One kernel of a filter and channel at a time.
  case kernels
  /// All filters of some groups; of a layer without groups one half of the filters.
  case groups
  /// All.
  case everything

  /// Patterns that leave something for structure passes to do.
  public static let structured: [ZeroPattern] = [
    .filters, .filters, .filters, .channels, .channels, .filtersAndChannels, .filtersAndChannels,
    .columns, .kernels, .groups, .groups, .everything,
  ]

  /// Sets weights of the shape [filters, channels / groups, taps...] to zero, now and then to minus zero.
  public func applied(to weights: Tensor, groups: Int = 1, _ random: inout SeededGenerator)
    -> Tensor
  {
    let filters = weights.shape.axes > 0 ? weights.shape[0] : 1
    let channels = weights.shape.axes > 1 ? weights.shape[1] : 1
    let taps = weights.count / filters / channels
    let deadFilters = (0..<filters).map { _ in random.chance(0.4) }
    let deadChannels = (0..<groups * channels).map { _ in random.chance(0.4) }
    let deadColumns = (0..<channels * taps).map { _ in random.chance(0.5) }
    let deadKernels = (0..<filters * channels).map { _ in random.chance(0.6) }
    let parts = groups > 1 ? groups : 2
    let deadGroups = Set(
      [random.integer(0...parts - 1), random.integer(0...parts - 1)].prefix(groups > 2 ? 2 : 1))
    let zero: Float = random.chance(0.2) ? -0.0 : 0
    var values = weights.values
    for index in values.indices {
      let (filter, column) = index.quotientAndRemainder(dividingBy: channels * taps)
      let channel = column / taps
      let group = filter * groups / filters
      let dies =
        switch self {
        case .dense: false
        case .scattered: random.chance(0.5)
        case .scatteredWidely: random.chance(0.92)
        case .filters: deadFilters[filter]
        case .channels: deadChannels[group * channels + channel]
        case .filtersAndChannels:
          deadFilters[filter] || deadChannels[group * channels + channel]
        case .columns: deadColumns[column]
        case .kernels: deadKernels[filter * channels + channel]
        case .groups: deadGroups.contains(filter * parts / filters)
        case .everything: true
        }
      if dies { values[index] = zero }
    }
    return Tensor(shape: weights.shape, values: values)
  }
}
