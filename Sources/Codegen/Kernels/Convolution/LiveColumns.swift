import IR

/// A convolution's weights without what is zero, as convolution_columns.h multiplies them.
///
/// Filters of a group that have a weight other than zero are put into blocks; of the weights' columns each
/// block keeps those that are not zero in all of its filters. Other filters give their bias everywhere.
struct LiveColumns {
  /// Filters that are computed together.
  struct Block {
    var group: Int
    var filters: ArraySlice<Int>
    /// Which of `lists` holds its columns.
    var list: Int
  }

  let blocks: [Block]
  /// Columns of the weights of one group, rising.
  let lists: [[Int]]
  /// Filters whose weights are all zero.
  let deadFilters: [Int]

  /// The filters of each group.
  static func allFilters(_ geometry: ConvolutionGeometry) -> [[Int]] {
    (0..<geometry.layer.groups).map { group in
      Array(group * geometry.filters..<(group + 1) * geometry.filters)
    }
  }

  /// The filters of each group that have a weight other than zero.
  static func liveFilters(_ weights: [Float], _ geometry: ConvolutionGeometry) -> [[Int]] {
    let columns = geometry.columns
    return allFilters(geometry).map { filters in
      filters.filter { weights[$0 * columns..<($0 + 1) * columns].contains { $0 != 0 } }
    }
  }

  /// - Parameters:
  ///   - weights: nil if no column is to be left out.
  ///   - live: the filters to multiply, per group.
  ///   - tileOutputs: filters of a block at most.
  init(
    _ weights: [Float]?, _ geometry: ConvolutionGeometry, live: [[Int]], tileOutputs: Int
  ) {
    var blocks: [Block] = []
    var lists: [[Int]] = []
    for (group, filters) in live.enumerated() where !filters.isEmpty {
      let wholeGroup = Self.columns(of: filters[...], weights, geometry)
      let shared = lists.count
      lists.append(wholeGroup)
      for start in stride(from: 0, to: filters.count, by: tileOutputs) {
        let block = filters[start..<min(start + tileOutputs, filters.count)]
        let own = Self.columns(of: block, weights, geometry)
        // A list of its own has to be read as well.
        if own.count * 10 > wholeGroup.count * 9 {
          blocks.append(Block(group: group, filters: block, list: shared))
        } else {
          blocks.append(Block(group: group, filters: block, list: lists.count))
          lists.append(own)
        }
      }
    }
    self.blocks = blocks
    self.lists = lists
    let isLive = Set(live.joined())
    deadFilters = (0..<geometry.layer.filters).filter { !isLive.contains($0) }
  }

  /// Weights that are multiplied, zeros between the others included.
  var weightCount: Int {
    blocks.reduce(0) { $0 + $1.filters.count * lists[$1.list].count }
  }

  /// The columns that are not zero in all of the filters.
  private static func columns(
    of filters: ArraySlice<Int>, _ weights: [Float]?, _ geometry: ConvolutionGeometry
  ) -> [Int] {
    guard let weights else { return Array(0..<geometry.columns) }
    var isLive = [Bool](repeating: false, count: geometry.columns)
    for filter in filters {
      let row = filter * geometry.columns
      for column in isLive.indices where weights[row + column] != 0 { isLive[column] = true }
    }
    return isLive.indices.filter { isLive[$0] }
  }
}
