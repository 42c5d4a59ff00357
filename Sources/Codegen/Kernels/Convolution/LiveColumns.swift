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

  private(set) var blocks: [Block] = []
  /// Columns of the weights of one group, rising.
  private(set) var lists: [[Int]] = []
  /// Filters whose weights are all zero.
  let deadFilters: [Int]

  /// - Parameter tileOutputs: filters of a block at most.
  init(_ patterns: FilterPatterns, tileOutputs: Int) {
    let live = Set(patterns.live.joined())
    deadFilters = patterns.patterns.indices.filter { !live.contains($0) }
    for (group, filters) in patterns.live.enumerated() where !filters.isEmpty {
      let shared = lists.count
      let all = patterns.union(filters[...])
      lists.append(all.columns)
      for block in Self.blocks(of: filters, patterns, tileOutputs: tileOutputs) {
        let own = patterns.union(block)
        // A list of its own has to be read as well.
        let isShared = own.count * 10 > all.count * 9
        blocks.append(
          Block(group: group, filters: block, list: isShared ? shared : lists.count))
        if !isShared { lists.append(own.columns) }
      }
    }
  }

  /// Weights that are multiplied, zeros between the others included.
  var weightCount: Int {
    blocks.reduce(0) { $0 + $1.filters.count * lists[$1.list].count }
  }

  /// Cuts a group's filters into blocks, in their own order or, where that saves a twentieth of the columns,
  /// by how many weights they have: few weights next to many would be multiplied as many.
  private static func blocks(
    of filters: [Int], _ patterns: FilterPatterns, tileOutputs: Int
  ) -> [ArraySlice<Int>] {
    func cut(_ filters: [Int]) -> [ArraySlice<Int>] {
      stride(from: 0, to: filters.count, by: tileOutputs).map {
        filters[$0..<min($0 + tileOutputs, filters.count)]
      }
    }
    func columns(_ blocks: [ArraySlice<Int>]) -> Int {
      blocks.reduce(0) { $0 + patterns.union($1).count }
    }
    let counts = filters.map { (filter: $0, count: patterns.patterns[$0].count) }
    let sorted = counts.sorted { a, b in
      a.count != b.count ? a.count > b.count : a.filter < b.filter
    }
    let (natural, bySize) = (cut(filters), cut(sorted.map(\.filter)))
    return columns(bySize) * 20 < columns(natural) * 19 ? bySize : natural
  }
}
