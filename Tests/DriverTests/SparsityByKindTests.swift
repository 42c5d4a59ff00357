import IR
import Testing

@testable import Driver

struct SparsityByKindTests {
  private typealias Count = SparsityByKind.Count

  @Test func `counts every kind of a small convolution`() throws {
    // Two filters, two channels, windows of 1x2.
    let weights = Tensor(
      shape: try Shape([2, 2, 1, 2]), values: [1, 0, -0.0, 0, 2, 0, 0, 0])
    let groups = try #require(SparsityByKind.groups(of: weights, count: 1))
    try #require(groups.count == 1)
    #expect(groups[0].elements == Count(zero: 6, total: 8))
    #expect(groups[0].filters == Count(zero: 0, total: 2))
    #expect(groups[0].columns == Count(zero: 3, total: 4))
    #expect(groups[0].channels == Count(zero: 1, total: 2))
    #expect(groups[0].kernels == Count(zero: 2, total: 4))
  }

  @Test func `a column is only as long as its group`() throws {
    let weights = Tensor(shape: try Shape([2, 1, 1, 1]), values: [0, 3])
    let whole = try #require(SparsityByKind.groups(of: weights, count: 1))
    let halves = try #require(SparsityByKind.groups(of: weights, count: 2))
    #expect(whole.map(\.columns) == [Count(zero: 0, total: 1)])
    #expect(halves.map(\.columns) == [Count(zero: 1, total: 1), Count(zero: 0, total: 1)])
  }

  @Test(arguments: 1...10)
  func `agrees with the definitions, whichever way the weights stand`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let (filters, channels, taps) = (
      Int.random(in: 1...5, using: &generator), Int.random(in: 1...5, using: &generator),
      Int.random(in: 1...4, using: &generator)
    )
    var isZero: [[[Bool]]] = []
    for _ in 0..<filters {
      isZero.append(
        (0..<channels).map { _ in
          let isWholeKernel = Int.random(in: 0..<2, using: &generator) == 0
          return (0..<taps).map { _ in
            isWholeKernel || Int.random(in: 0..<3, using: &generator) == 0
          }
        })
    }
    func zero(_ f: Int, _ c: Int, _ t: Int) -> Bool { isZero[f][c][t] }
    let all = (f: 0..<filters, c: 0..<channels, t: 0..<taps)
    let expected = SparsityByKind(
      elements: Count(
        zero: all.f.reduce(0) { n, f in
          n + all.c.reduce(0) { n, c in n + all.t.count { zero(f, c, $0) } }
        }, total: filters * channels * taps),
      filters: Count(
        zero: all.f.count { f in all.c.allSatisfy { c in all.t.allSatisfy { zero(f, c, $0) } } },
        total: filters),
      columns: Count(
        zero: all.c.reduce(0) { n, c in
          n + all.t.count { t in all.f.allSatisfy { zero($0, c, t) } }
        }, total: channels * taps),
      channels: Count(
        zero: all.c.count { c in all.f.allSatisfy { f in all.t.allSatisfy { zero(f, c, $0) } } },
        total: channels),
      kernels: Count(
        zero: all.f.reduce(0) { n, f in
          n + all.c.count { c in all.t.allSatisfy { zero(f, c, $0) } }
        }, total: filters * channels))
    let forward = all.f.flatMap { f in
      all.c.flatMap { c in all.t.map { zero(f, c, $0) ? Float(0) : 1 } }
    }
    let turned = all.c.flatMap { c in
      all.f.flatMap { f in all.t.map { zero(f, c, $0) ? Float(0) : 1 } }
    }
    let straight = Tensor(shape: try Shape([filters, channels, taps]), values: forward)
    let reversed = Tensor(shape: try Shape([channels, filters, taps]), values: turned)
    #expect(SparsityByKind.groups(of: straight, count: 1) == [expected])
    #expect(SparsityByKind.groups(of: reversed, count: 1, filtersFirst: false) == [expected])
  }

  @Test(arguments: 1...20)
  func `a block is zero if all that the matrix has of it is`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let (rows, columns) = (number(1...9), number(1...9))
    let sizes = [
      BlockSize(rows: number(1...4), columns: number(1...4)),
      BlockSize(rows: Int.max, columns: 1), BlockSize(rows: 1, columns: Int.max),
    ]
    let values = (0..<rows * columns).map { _ in number(0...3) == 0 ? Float(1) : 0 }
    let weights = Tensor(shape: try Shape([rows, columns]), values: values)
    let counted = try #require(SparsityByKind.groups(of: weights, count: 1, blocks: sizes))
    try #require(counted[0].blocks.count == sizes.count)
    for (size, blocks) in zip(sizes, counted[0].blocks) {
      var expected = (zero: 0, total: 0)
      for top in stride(from: 0, to: rows, by: min(size.rows, 100)) {
        for left in stride(from: 0, to: columns, by: min(size.columns, 100)) {
          let isZero = (top..<min(top + min(size.rows, 100), rows)).allSatisfy { row in
            (left..<min(left + min(size.columns, 100), columns)).allSatisfy {
              values[row * columns + $0] == 0
            }
          }
          expected.zero += isZero ? 1 : 0
          expected.total += 1
        }
      }
      #expect((blocks.zero, blocks.total) == expected)
      #expect((blocks.rows, blocks.columns) == (size.rows, size.columns))
    }
  }

  @Test func `blocks of one size add up, others stay apart`() throws {
    let weights = Tensor(shape: try Shape([2, 2]), values: [0, 0, 0, 1])
    func counted(_ sizes: [BlockSize]) throws -> SparsityByKind {
      try #require(SparsityByKind.groups(of: weights, count: 1, blocks: sizes)?.first)
    }
    let row = BlockSize(rows: 1, columns: 2)
    let sum = try counted([row]) + counted([BlockSize(rows: 2, columns: 1), row])
    #expect(
      sum.blocks == [
        SparsityByKind.Blocks(rows: 1, columns: 2, zero: 2, total: 4),
        SparsityByKind.Blocks(rows: 2, columns: 1, zero: 1, total: 2),
      ])
  }

  @Test func `a block's size is rows by columns`() {
    #expect(BlockSize(text: "2x16") == BlockSize(rows: 2, columns: 16))
    for text in ["", "2", "2x", "x2", "0x2", "2x-1", "2x2x2", "2 x 2", "9223372036854775808x1"] {
      #expect(BlockSize(text: text) == nil, "\(text)")
    }
  }

  @Test func `has nothing to say about a bias`() {
    #expect(SparsityByKind.groups(of: Tensor(shape: .vector(3), repeating: 0), count: 1) == nil)
  }
}
