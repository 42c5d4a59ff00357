import IR

/// Zeros of a layer's weights, and the structures that consist of zeros only.
public struct SparsityByKind: Codable, Hashable, Sendable {
  /// How many there are, and how many of them are zero.
  public struct Count: Codable, Hashable, Sendable {
    public var zero: Int
    public var total: Int

    /// The share of zeros; nil if there is nothing.
    public var share: Double? { total == 0 ? nil : Double(zero) / Double(total) }

    static func + (a: Count, b: Count) -> Count {
      Count(zero: a.zero + b.zero, total: a.total + b.total)
    }
  }

  /// Single weights.
  public var elements: Count
  /// What one output channel, or one output of an inner product, reads: rows of the weight matrix.
  public var filters: Count
  /// What all filters of a group read of one place in the window: columns of the weight matrix.
  public var columns: Count
  /// What all filters of a group read of one input channel.
  public var channels: Count
  /// What one filter reads of one input channel.
  public var kernels: Count

  static func + (a: SparsityByKind, b: SparsityByKind) -> SparsityByKind {
    SparsityByKind(
      elements: a.elements + b.elements, filters: a.filters + b.filters,
      columns: a.columns + b.columns, channels: a.channels + b.channels,
      kernels: a.kernels + b.kernels)
  }
}

extension SparsityByKind {
  /// Counts the zeros of one group: `filters` rows of `channels` x `taps` weights, row-major.
  ///
  /// - Precondition: there are as many weights as that.
  init(_ weights: ArraySlice<Float>, filters: Int, channels: Int, taps: Int) {
    precondition(weights.count == filters * channels * taps, "weights fill filters")
    let columns = channels * taps
    var usedColumns = [Bool](repeating: false, count: columns)
    var (zeros, zeroFilters, zeroKernels) = (0, 0, 0)
    weights.withUnsafeBufferPointer { weights in
      for filter in 0..<filters {
        var usedChannels = 0
        for channel in 0..<channels {
          let start = filter * columns + channel * taps
          var nonzeros = 0
          for tap in 0..<taps where weights[start + tap] != 0 {
            nonzeros += 1
            usedColumns[channel * taps + tap] = true
          }
          zeros += taps - nonzeros
          if nonzeros > 0 { usedChannels += 1 }
        }
        zeroKernels += channels - usedChannels
        if usedChannels == 0 { zeroFilters += 1 }
      }
    }
    let unusedChannels = (0..<channels).count { channel in
      !usedColumns[channel * taps..<(channel + 1) * taps].contains(true)
    }
    self.elements = Count(zero: zeros, total: filters * columns)
    self.filters = Count(zero: zeroFilters, total: filters)
    self.columns = Count(zero: usedColumns.count { !$0 }, total: columns)
    self.channels = Count(zero: unusedChannels, total: channels)
    self.kernels = Count(zero: zeroKernels, total: filters * channels)
  }

  /// The groups of a convolution's or inner product's weights; nil for weights of fewer than two
  /// axes.
  ///
  /// The first axis counts filters, the second channels of a group, the others the window. Weights
  /// that stand the other way round, as a deconvolution's and a transposed inner product's do, need
  /// `filtersFirst` false: then the first axis counts channels, the second filters of a group.
  public static func groups(of weights: Tensor, count: Int, filtersFirst: Bool = true)
    -> [SparsityByKind]?
  {
    guard weights.shape.axes >= 2, count >= 1, weights.shape[0] % count == 0 else { return nil }
    let taps = weights.shape.count(from: 2)
    let (first, second) = (weights.shape[0] / count, weights.shape[1])
    return (0..<count).map { group in
      let size = first * second * taps
      let part = weights.values[group * size..<(group + 1) * size]
      if filtersFirst {
        return SparsityByKind(part, filters: first, channels: second, taps: taps)
      }
      var turned = [Float](repeating: 0, count: size)
      for channel in 0..<first {
        for filter in 0..<second {
          for tap in 0..<taps {
            turned[(filter * first + channel) * taps + tap] =
              part[part.startIndex + (channel * second + filter) * taps + tap]
          }
        }
      }
      return SparsityByKind(turned[...], filters: second, channels: first, taps: taps)
    }
  }
}
