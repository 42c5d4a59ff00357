/// Which weights of a convolution's filters are not zero.
struct FilterPatterns {
  /// The columns of a group's weight matrix in which filters are not zero, as bits.
  struct Pattern {
    fileprivate(set) var words: [UInt64]

    /// The number of columns.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The columns, rising.
    var columns: [Int] {
      words.enumerated().flatMap { index, word in
        (0..<64).compactMap { word >> UInt64($0) & 1 == 1 ? index * 64 + $0 : nil }
      }
    }

    mutating func formUnion(_ other: Pattern) {
      for index in words.indices { words[index] |= other.words[index] }
    }
  }

  /// One for each filter.
  let patterns: [Pattern]
  /// The filters of each group that have a weight other than zero.
  let live: [[Int]]

  /// The patterns of `weights`, or of weights of which none is zero.
  init(_ weights: [Float]?, _ geometry: ConvolutionGeometry) {
    let columns = geometry.columns
    let patterns = (0..<geometry.layer.filters).map { filter in
      var words = [UInt64](repeating: 0, count: (columns + 63) / 64)
      for column in 0..<columns {
        if let weights, weights[filter * columns + column] == 0 { continue }
        words[column / 64] |= 1 << UInt64(column % 64)
      }
      return Pattern(words: words)
    }
    self.patterns = patterns
    live = (0..<geometry.layer.groups).map { group in
      (group * geometry.filters..<(group + 1) * geometry.filters).filter {
        patterns[$0].words.contains { $0 != 0 }
      }
    }
  }

  /// The columns in which any of the filters is not zero.
  func union(_ filters: ArraySlice<Int>) -> Pattern {
    var union = patterns[filters.first ?? 0]
    for filter in filters.dropFirst() { union.formUnion(patterns[filter]) }
    return union
  }
}
