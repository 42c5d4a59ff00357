import IR

/// How the weights of a layer divide into matrices, one for each group: a row is what one filter reads, a
/// column is what all filters of the group read of one place in the window of one channel.
struct WeightMatrices: Hashable, Sendable {
  var groups: Int
  /// Rows of one matrix.
  var filters: Int
  /// Input channels of one group.
  var channels: Int
  /// Places in the window.
  var taps: Int
  /// Whether the first axis of the weights counts filters and the second channels; the other way round in a
  /// deconvolution and a transposed inner product.
  var filtersFirst: Bool

  /// Columns of one matrix.
  var columns: Int { channels * taps }

  /// Nil for weights of fewer than two axes, or whose first axis is no multiple of the groups.
  init?(_ weights: Shape, groups: Int = 1, filtersFirst: Bool = true) {
    guard weights.axes >= 2, groups >= 1, weights[0] % groups == 0 else { return nil }
    self.groups = groups
    self.filtersFirst = filtersFirst
    let first = weights[0] / groups
    filters = filtersFirst ? first : weights[1]
    channels = filtersFirst ? weights[1] : first
    taps = weights.count(from: 2)
  }

  /// The weights of a convolution, deconvolution or inner product; nil for any other layer.
  init?(_ node: Node) {
    guard let weights = node.parameters.first?.shape else { return nil }
    if case .convolution(let layer) = node.operation {
      self.init(weights, groups: layer.groups)
    } else if case .deconvolution(let layer) = node.operation {
      self.init(weights, groups: layer.groups, filtersFirst: false)
    } else if case .innerProduct(let layer) = node.operation {
      self.init(weights, filtersFirst: !layer.isTransposed)
    } else {
      return nil
    }
  }

  /// The matrix of one group, row-major; `values` are those of all groups.
  func matrix(_ group: Int, of values: [Float]) -> ArraySlice<Float> {
    let size = filters * columns
    let part = values[group * size..<(group + 1) * size]
    guard !filtersFirst else { return part }
    var turned = [Float](repeating: 0, count: size)
    for channel in 0..<channels {
      for filter in 0..<filters {
        for tap in 0..<taps {
          turned[filter * columns + channel * taps + tap] =
            part[part.startIndex + (channel * filters + filter) * taps + tap]
        }
      }
    }
    return turned[...]
  }
}
