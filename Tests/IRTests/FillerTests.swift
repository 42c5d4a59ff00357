import IR
import Testing

/// Moments and patterns of what fillers make: the laws that Caffe's own filler tests check.
struct FillerTests {
  private func filled(_ filler: Filler, _ extents: [Int], seed: UInt64 = 1) throws -> [Float] {
    let shape = try Shape(extents)
    try filler.check(shape)
    var random = RandomSource(seed: seed)
    var values = [Float](repeating: .nan, count: shape.count)
    values.withUnsafeMutableBufferPointer { filler.fill($0, shape: shape, random: &random) }
    return values
  }

  private func moments(_ values: [Float]) -> (mean: Double, deviation: Double) {
    let count = Double(values.count)
    let mean = values.reduce(0) { $0 + Double($1) } / count
    let variance = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
    return (mean, variance.squareRoot())
  }

  @Test func `constant fills everything`() throws {
    #expect(try filled(.constant(-2.5), [3, 2]) == [Float](repeating: -2.5, count: 6))
    #expect(try filled(.constant(3), []) == [3])
  }

  @Test func `uniform stays within its limits and has their moments`() throws {
    let values = try filled(.uniform(low: -1, high: 3), [100, 1000])
    #expect(values.allSatisfy { (-1...3).contains($0) })
    let (mean, deviation) = moments(values)
    #expect(abs(mean - 1) < 0.02)
    #expect(abs(deviation - 4 / 12.0.squareRoot()) < 0.01)
    #expect(try filled(.uniform(low: 2, high: 2), [4]) == [2, 2, 2, 2])
  }

  @Test func `gaussian has its mean and deviation`() throws {
    let values = try filled(.gaussian(mean: 5, deviation: 0.5, sparse: nil), [100, 1000])
    let (mean, deviation) = moments(values)
    #expect(abs(mean - 5) < 0.01)
    #expect(abs(deviation - 0.5) < 0.01)
    // The share beyond two deviations tells a normal from a uniform distribution.
    let far = Double(values.count { abs($0 - 5) > 1 }) / Double(values.count)
    #expect(abs(far - 0.0455) < 0.003)
  }

  @Test func `sparse gaussian keeps so many inputs of each output on average`() throws {
    let values = try filled(.gaussian(mean: 0, deviation: 1, sparse: 15), [100, 1000])
    let kept = Double(values.count { $0 != 0 }) / Double(values.count)
    // Caffe's probability is sparse / shape[0].
    #expect(abs(kept - 0.15) < 0.005)
  }

  @Test func `rows of the positive unit ball are positive and sum to 1`() throws {
    let values = try filled(.positiveUnitBall, [7, 3, 5])
    #expect(values.allSatisfy { (0...1).contains($0) })
    for row in 0..<7 {
      #expect(abs(values[row * 15..<(row + 1) * 15].reduce(0, +) - 1) < 1e-5)
    }
  }

  @Test(arguments: [(Filler.Fan.fanIn, 2000.0), (.fanOut, 500), (.average, 1250)])
  func `xavier and msra divide by the fan`(fan: Filler.Fan, count: Double) throws {
    // count / shape[0] = 2000, count / shape[1] = 500.
    let extents = [50, 200, 2, 5]
    let xavier = try filled(.xavier(fan), extents)
    let limit = (3 / count).squareRoot()
    #expect(xavier.allSatisfy { Double(abs($0)) <= limit * 1.000_001 })
    #expect(abs(moments(xavier).deviation / (1 / count).squareRoot() - 1) < 0.01)
    let msra = try filled(.msra(fan), extents)
    #expect(abs(moments(msra).mean) < 0.01)
    #expect(abs(moments(msra).deviation / (2 / count).squareRoot() - 1) < 0.02)
  }

  @Test func `arrays of one axis have a fan-in of 1`() throws {
    // As Scale's blobs in the ResNets of SSL: random scales of deviation sqrt(2).
    let values = try filled(.msra(.fanIn), [100_000])
    #expect(abs(moments(values).deviation - 2.0.squareRoot()) < 0.02)
  }

  @Test func `bilinear kernels interpolate`() throws {
    let odd = try filled(.bilinear, [1, 1, 3, 3])
    #expect(odd == [0.25, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 0.25])
    let even = try filled(.bilinear, [2, 1, 4, 4])
    let row: [Float] = [0.25, 0.75, 0.75, 0.25]
    #expect(even == [0, 1].flatMap { _ in row.flatMap { y in row.map { $0 * y } } })
  }

  @Test func `the same seed gives the same values, another seed others`() throws {
    let filler = Filler.gaussian(mean: 0, deviation: 1, sparse: nil)
    #expect(try filled(filler, [33]) == filled(filler, [33]))
    #expect(try filled(filler, [33]) != filled(filler, [33], seed: 2))
  }

  @Test(arguments: [
    (Filler.bilinear, [1, 1, 3, 4], "square"), (.bilinear, [3, 3], "square"),
    (.uniform(low: 1, high: 0), [2], "min must not exceed max"),
    (.gaussian(mean: 0, deviation: -1, sparse: nil), [2], "must not be negative"),
    (.gaussian(mean: 0, deviation: 1, sparse: 3), [2, 9], "on 2 outputs"),
  ])
  func `what cannot be filled is refused`(filler: Filler, extents: [Int], clause: String) throws {
    let shape = try Shape(extents)
    let error = #expect(throws: ShapeError.self) { try filler.check(shape) }
    #expect(error?.description.contains(clause) == true)
  }
}
