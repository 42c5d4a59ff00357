import IR
import Reference
import TestSupport
import Testing

@Suite struct PoolingTests {
  static func pool(
    _ reduction: Pooling.Reduction, kernel: Int, stride: Int, pad: Int = 0,
    startsAtZero: Bool = false, positions: Bool = false
  ) -> Operation {
    .pooling(
      Pooling(
        reduction: reduction,
        window: Window(
          kernel: [kernel, kernel], stride: [stride, stride], pad: [pad, pad], dilation: [1, 1]),
        startsAtZero: startsAtZero, writesPositions: positions))
  }

  static func ramp(_ side: Int) throws -> Tensor {
    try tensor([1, 1, side, side], (0..<side * side).map { Float($0) })
  }

  @Test func `reaches over the edge without counting what is not there`() throws {
    // Extent 4, kernel 3, stride 2: the second window covers columns 2 and 3 only.
    let input = try Self.ramp(4)
    let means = try evaluateOne(Self.pool(.average, kernel: 3, stride: 2), [input])
    #expect(means.values == [5, 6.5, 11, 12.5])
    let maxima = try evaluateOne(Self.pool(.max, kernel: 3, stride: 2), [input])
    #expect(maxima.values == [10, 11, 14, 15])
  }

  @Test func `counts padding in a mean, but not what lies beyond it`() throws {
    // Extent 4, kernel 3, stride 3, padding 1: windows begin at -1 and 2; the second one would end
    // at 5, exactly the padded image. With extent 3 it would end at 5 too, beyond 4.
    let four = try evaluateOne(
      Self.pool(.average, kernel: 3, stride: 3, pad: 1),
      [try tensor([1, 1, 4, 4], .init(repeating: 9, count: 16))])
    #expect(four.values == [4, 4, 4, 4])
    let three = try evaluateOne(
      Self.pool(.average, kernel: 3, stride: 3, pad: 1),
      [try tensor([1, 1, 3, 3], .init(repeating: 9, count: 9))])
    #expect(try three.shape == Shape([1, 1, 2, 2]))
    #expect(three.values == [4, 3, 3, 2.25])
  }

  @Test func `never takes a maximum from the padding`() throws {
    let input = try tensor([1, 1, 2, 2], [-1, -2, -3, -4])
    let result = try evaluateOne(Self.pool(.max, kernel: 3, stride: 1, pad: 1), [input])
    #expect(result.values == [-1, -1, -1, -1])
    let rectified = try evaluateOne(
      Self.pool(.max, kernel: 3, stride: 1, pad: 1, startsAtZero: true), [input])
    #expect(rectified.values == [0, 0, 0, 0])
  }

  @Test func `makes of an empty window the lowest number, or nothing divided by nothing`() throws {
    // Extent 9, kernel 1, stride 5: windows at 0, 5, and 10, which is outside.
    let maxima = try evaluateOne(Self.pool(.max, kernel: 1, stride: 5), [try Self.ramp(9)])
    let lowest = -Float.greatestFiniteMagnitude
    #expect(
      maxima.values == [0, 5, lowest, 45, 50, lowest, lowest, lowest, lowest])
    // Windows end at min(start + 1, 9): the third one's extent is -1, and -0 = 0 / -1.
    let means = try evaluateOne(Self.pool(.average, kernel: 1, stride: 5), [try Self.ramp(9)])
    #expect(means.values == [0, 5, 0, 45, 50, 0, 0, 0, 0])
    #expect(means.values.map(\.sign)[2] == .minus)
    #expect(means.values.map(\.sign)[8] == .plus)
    // Extent 9, kernel 2, stride 9: the second window begins where the image ends.
    let nothing = try evaluateOne(Self.pool(.average, kernel: 2, stride: 9), [try Self.ramp(9)])
    #expect(nothing.values[0] == 5)
    #expect(nothing.values.dropFirst().allSatisfy { $0.isNaN })
  }

  @Test func `gives the position of the first of equal maxima`() throws {
    let input = try image([[1, 7, 7], [7, 0, 7], [2, 7, 7]])
    let results = try evaluate(
      Self.pool(.max, kernel: 2, stride: 1, positions: true), [input])
    #expect(results[0].values == [7, 7, 7, 7])
    #expect(results[1].values == [1, 1, 3, 5])
  }

  @Test func `overlooks NaN when it looks for a maximum`() throws {
    let input = try image([[.nan, 1], [.nan, .nan]])
    #expect(try evaluateOne(Self.pool(.max, kernel: 2, stride: 2), [input]).values == [1])
    #expect(try evaluateOne(Self.pool(.average, kernel: 2, stride: 2), [input]).values[0].isNaN)
  }

  @Test func `stochastic pooling expects the value that sampling would give`() throws {
    let input = try image([[1, 3], [0, 0]])
    #expect(try evaluateOne(Self.pool(.stochastic, kernel: 2, stride: 2), [input]).values == [2.5])
    let zeros = try image([[0, 0], [0, 0]])
    #expect(try evaluateOne(Self.pool(.stochastic, kernel: 2, stride: 2), [zeros]).values == [0])
  }

  @Test func `global pooling is a window over the whole image`() throws {
    let input = try Tensor.random([2, 3, 4, 5], seed: 1)
    for reduction in [Pooling.Reduction.max, .average] {
      let global = Pooling(reduction: reduction, window: Window(kernel: [1, 1]), isGlobal: true)
      let whole = Pooling(reduction: reduction, window: Window(kernel: [4, 5]))
      let result = try evaluateOne(.pooling(global), [input])
      #expect(try result.shape == Shape([2, 3, 1, 1]))
      #expect(try result == evaluateOne(.pooling(whole), [input]))
    }
  }

  @Test func `mean pooling inside is a convolution by equal weights`() throws {
    let input = try Tensor.random([1, 2, 8, 8], .integers(limit: 8), seed: 2)
    let means = try evaluateOne(Self.pool(.average, kernel: 2, stride: 2), [input])
    let layer = Convolution(
      filters: 2, window: Window(kernel: [2, 2], stride: [2, 2], pad: [0, 0], dilation: [1, 1]),
      groups: 2, hasBias: false)
    let quarter = Tensor(shape: try Shape([2, 1, 2, 2]), repeating: 0.25)
    #expect(try evaluateOne(.convolution(layer), [input], [quarter]) == means)
  }

  @Test func `a pyramid is its levels, channel by channel`() throws {
    let input = try Tensor.random([2, 2, 4, 8], seed: 3)
    let result = try evaluateOne(
      .spatialPyramidPooling(SpatialPyramidPooling(height: 2, reduction: .max)), [input])
    let whole = try evaluateOne(
      .pooling(Pooling(reduction: .max, window: Window(kernel: [1, 1]), isGlobal: true)), [input])
    let quarters = try evaluateOne(
      .pooling(
        Pooling(
          reduction: .max,
          window: Window(kernel: [2, 4], stride: [2, 4], pad: [0, 0], dilation: [1, 1]))),
      [input])
    let expected = try evaluateOne(
      .concat(Concat()),
      [
        whole.reshaped(to: try Shape([2, 2])), quarters.reshaped(to: try Shape([2, 8])),
      ])
    #expect(result == expected)
  }
}
