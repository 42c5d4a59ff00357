import TestSupport
import Testing

@testable import IR

struct LayoutTests {
  /// Floats of a cache line.
  private let line = 16

  @Test func `dense is row-major without gaps`() throws {
    let pitches = Layout.dense.pitches(of: try Shape([2, 3, 4, 5]))
    #expect(
      pitches
        == Pitches(
          planes: 6, height: 4, width: 5, rowPitch: 5, planePitch: 20, origin: 0, size: 120))
    let vector = Layout.dense.pitches(of: .vector(7))
    #expect(vector.planes == 1 && vector.height == 1 && vector.width == 7 && vector.size == 7)
    #expect(Layout.dense.pitches(of: .scalar).size == 1)
  }

  @Test(arguments: 0..<300)
  func `elements and zeros of planes have places of their own`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let axes = random.integer(0...5)
    let shape = try Shape((0..<axes).map { _ in random.integer(1...(axes < 3 ? 40 : 6)) })
    let halo =
      random.chance(0.2)
      ? Halo.none
      : Halo(top: random.integer(0...4), bottom: random.integer(0...4), gap: random.integer(0...9))
    let pitches = Layout.planes(halo).pitches(of: shape)
    #expect(pitches.origin % line == 0)
    #expect(pitches.planePitch % line == 0)
    #expect(pitches.planePitch / line % 2 == 1, "planes an even number of lines apart")
    #expect(pitches.planes * pitches.height * pitches.width == shape.count)
    var elements = Set<Int>()
    var zeros = Set<Int>()
    for plane in 0..<pitches.planes {
      for row in -halo.top..<pitches.height + halo.bottom {
        for column in -halo.gap..<pitches.width + halo.gap {
          let address =
            pitches.origin + plane * pitches.planePitch + row * pitches.rowPitch + column
          let isElement =
            (0..<pitches.height).contains(row) && (0..<pitches.width).contains(column)
          if isElement { elements.insert(address) } else { zeros.insert(address) }
        }
      }
    }
    #expect(elements.count == shape.count, "two elements share a place")
    #expect(elements.isDisjoint(with: zeros), "zeros lie over elements")
    let all = elements.union(zeros)
    #expect(try #require(all.min()) >= 0)
    #expect(try #require(all.max()) < pitches.size)
  }

  @Test func `a union of halos covers both, and no more`() {
    let (a, b) = (Halo(top: 1, bottom: 0, gap: 3), Halo(top: 0, bottom: 2, gap: 1))
    #expect(a.union(b) == Halo(top: 1, bottom: 2, gap: 3))
    #expect(a.union(b).covers(a) && a.union(b).covers(b))
    #expect(!a.covers(b) && !b.covers(a))
    #expect(a.covers(.none) && a.covers(a))
  }

  @Test(arguments: 0..<300)
  func `a phase split holds exactly the taps that a window reads`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let window = Window(
      kernel: [random.integer(1...5), random.integer(1...5)],
      stride: [random.integer(1...4), random.integer(1...4)],
      pad: [random.integer(0...2), random.integer(0...2)],
      dilation: random.chance(0.3) ? [2, 1] : [1, 1])
    let (height, width) = (random.integer(1...6), random.integer(1...6))
    let split = PhaseSplit(for: window, height: height, width: width)
    let rows = taps(window, axis: 0, positions: height)
    let columns = taps(window, axis: 1, positions: width)
    #expect(rows.map(\.place).max() == split.rows - 1)
    #expect(columns.map(\.place).max() == split.columns - 1)
    #expect(try #require(rows.map(\.phase).max()) < split.phasesHeight)
    #expect(try #require(columns.map(\.phase).max()) < split.phasesWidth)
    #expect(split.phasesHeight <= window.stride[0] && split.phasesWidth <= window.stride[1])
    if window.dilation == [1, 1] {
      #expect(Set(rows.map(\.phase)).count == split.phasesHeight)
      #expect(Set(columns.map(\.phase)).count == split.phasesWidth)
    }
    #expect(split.padHeight == window.pad[0] && split.padWidth == window.pad[1])
    let pitches = Layout.phases(split).pitches(of: try Shape([1, 3, 9, 9]))
    #expect(pitches.size == 3 * split.phasesHeight * split.phasesWidth * split.phasePitch)
    #expect(pitches.planes * pitches.planePitch == pitches.size)
  }

  /// Phase and place in it of every tap along one axis.
  private func taps(_ window: Window, axis: Int, positions: Int) -> [(phase: Int, place: Int)] {
    (0..<positions).flatMap { position in
      (0..<window.kernel[axis]).map { tap in
        let place = position * window.stride[axis] + tap * window.dilation[axis]
        return (place % window.stride[axis], place / window.stride[axis])
      }
    }
  }
}
