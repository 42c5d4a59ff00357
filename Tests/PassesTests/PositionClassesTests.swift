import IR
import TestSupport
import Testing

@testable import Passes

struct PositionClassesTests {
  /// Rows 0 and 5, columns 0 and 6 lie at the border.
  private static let frame = PositionClasses(keys: [
    [1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 1],
  ])

  @Test func `classes are numbered by their first position`() {
    #expect(Self.frame.axes == [[0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 1, 0]])
    #expect(Self.frame.counts == [2, 2])
    #expect(!Self.frame.isUniform)
  }

  @Test func `the largest class is the middle`() {
    // Class 1 of both axes, row-major.
    #expect(Self.frame.largest == 3)
    #expect(Self.frame.classOfPosition.count { $0 == 3 } == 4 * 5)
  }

  @Test func `refined classes tell apart what either tells apart`() {
    let halves = PositionClasses(keys: [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0]])
    let (both, here, there) = Self.frame.refined(with: halves)
    #expect(both.axes[0] == [0, 1, 1, 2, 2, 3])
    #expect(both.axes[1] == Self.frame.axes[1])
    for (place, position) in both.classOfPosition.enumerated() {
      #expect(here[position] == Self.frame.classOfPosition[place])
      #expect(there[position] == halves.classOfPosition[place])
    }
  }

  @Test func `classes with the same numbers in all rows merge`() throws {
    // Left and right border differ in the second row only; top and bottom do not differ at all.
    let merged = Self.frame.merged(where: [[1, 1, 1, 1], [2, 3, 2, 3]])
    #expect(merged.0.counts == [1, 2])
    #expect(merged.here.map { [2, 3, 2, 3][$0] } == [2, 3])
    #expect(Self.frame.merged(where: [[5, 5, 5, 5]]).0.isUniform)
  }

  /// The law of `WindowView`: at every position the classes under the taps are those of the positions there.
  @Test(arguments: 0..<200)
  func `a window sees the classes of what lies under it`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let extents = [random.integer(1...9), random.integer(1...9)]
    let window = Window(
      kernel: [random.integer(1...3), random.integer(1...3)],
      stride: [random.integer(1...3), random.integer(1...3)],
      pad: [random.integer(0...2), random.integer(0...2)],
      dilation: [random.integer(1...2), random.integer(1...2)])
    let input = PositionClasses(
      keys: extents.map { extent in (0..<extent).map { _ in random.integer(0...2) } })
    let layer = Convolution(filters: 1, window: window)
    guard let output = try? layer.outputShapes(for: [Shape([1, 1] + extents)])[0] else { return }
    let view = try #require(
      WindowView(window, over: input, extents: Array(output.extents[2...])))
    let seen = view.classesUnderTaps()
    for y in 0..<output[2] {
      for x in 0..<output[3] {
        let place = view.positions.classOfPosition[y * output[3] + x]
        var expected: [Int?] = []
        for v in 0..<window.kernel[0] {
          for u in 0..<window.kernel[1] {
            let row = y * window.stride[0] - window.pad[0] + v * window.dilation[0]
            let column = x * window.stride[1] - window.pad[1] + u * window.dilation[1]
            let isInside = (0..<extents[0]).contains(row) && (0..<extents[1]).contains(column)
            expected.append(isInside ? input.classOfPosition[row * extents[1] + column] : nil)
          }
        }
        #expect(seen[place] == expected, "seed \(seed), position \(y), \(x)")
      }
    }
  }

  @Test func `a window that sees too much is not looked through`() throws {
    func view(kernel: Int, pad: Int, extent: Int) throws -> WindowView? {
      let window = Window(
        kernel: [kernel, kernel], stride: [1, 1], pad: [pad, pad], dilation: [1, 1])
      let input = PositionClasses(uniform: try Shape([1, 1, extent, extent]))
      let positions = extent + 2 * pad - kernel + 1
      return WindowView(window, over: input, extents: [positions, positions])
    }
    #expect(try view(kernel: 11, pad: 5, extent: 224) != nil)
    // No memory would do for one axis, and then for both together.
    #expect(try view(kernel: 1 << 23, pad: 1 << 22, extent: 1 << 10) == nil)
    #expect(try view(kernel: 300, pad: 299, extent: 300) == nil)
  }
}
