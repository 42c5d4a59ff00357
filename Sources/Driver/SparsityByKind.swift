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
  /// Rectangles of the weight matrix of each group, for each size that was asked for.
  public var blocks: [Blocks] = []

  /// Blocks of one size.
  public struct Blocks: Codable, Hashable, Sendable {
    /// The size of a block.
    public var rows: Int
    public var columns: Int
    public var zero: Int
    /// All, those included that the matrix's edge cuts off.
    public var total: Int
  }

  static func + (a: SparsityByKind, b: SparsityByKind) -> SparsityByKind {
    var sum = SparsityByKind(
      elements: a.elements + b.elements, filters: a.filters + b.filters,
      columns: a.columns + b.columns, channels: a.channels + b.channels,
      kernels: a.kernels + b.kernels, blocks: a.blocks)
    for blocks in b.blocks {
      let same = sum.blocks.firstIndex { ($0.rows, $0.columns) == (blocks.rows, blocks.columns) }
      guard let same else {
        sum.blocks.append(blocks)
        continue
      }
      sum.blocks[same].zero += blocks.zero
      sum.blocks[same].total += blocks.total
    }
    return sum
  }
}

extension SparsityByKind {
  /// Counts the zeros of one group: `filters` rows of `channels` x `taps` weights, row-major.
  ///
  /// - Precondition: there are as many weights as that.
  init(
    _ weights: ArraySlice<Float>, filters: Int, channels: Int, taps: Int, blocks: [BlockSize] = []
  ) {
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
    self.blocks = blocks.map { Blocks(weights, columns: columns, size: $0) }
  }

  /// The groups of a convolution's or inner product's weights; nil for weights of fewer than two
  /// axes.
  ///
  /// The first axis counts filters, the second channels of a group, the others the window. Weights
  /// that stand the other way round, as a deconvolution's and a transposed inner product's do, need
  /// `filtersFirst` false: then the first axis counts channels, the second filters of a group.
  public static func groups(
    of weights: Tensor, count: Int, filtersFirst: Bool = true, blocks: [BlockSize] = []
  ) -> [SparsityByKind]? {
    WeightMatrices(weights.shape, groups: count, filtersFirst: filtersFirst)
      .map { groups(of: weights, as: $0, blocks: blocks) }
  }

  /// The groups of weights that are known to be matrices.
  static func groups(of weights: Tensor, as matrices: WeightMatrices, blocks: [BlockSize])
    -> [SparsityByKind]
  {
    (0..<matrices.groups).map { group in
      SparsityByKind(
        matrices.matrix(group, of: weights.values), filters: matrices.filters,
        channels: matrices.channels, taps: matrices.taps, blocks: blocks)
    }
  }
}

extension SparsityByKind.Blocks {
  /// Counts the blocks of a row-major matrix; those at its right and lower edge may be cut off.
  init(_ weights: ArraySlice<Float>, columns: Int, size: BlockSize) {
    let rows = weights.count / columns
    // How many blocks begin within an extent, without a sum that could overflow.
    let across = (columns - 1) / size.columns + 1
    let down = (rows - 1) / size.rows + 1
    let place = (0..<columns).map { $0 / size.columns }
    var isUsed = [Bool](repeating: false, count: across * down)
    weights.withUnsafeBufferPointer { weights in
      for row in 0..<rows {
        let first = row / size.rows * across
        for column in 0..<columns where weights[row * columns + column] != 0 {
          isUsed[first + place[column]] = true
        }
      }
    }
    self.init(
      rows: size.rows, columns: size.columns, zero: isUsed.count { !$0 }, total: isUsed.count)
  }
}
