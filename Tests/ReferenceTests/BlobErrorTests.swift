import IR
import Reference
import Testing

@Suite struct BlobErrorTests {
  static func compare(_ result: [Float], _ expected: [Float]) throws -> BlobError {
    BlobError(of: try tensor([result.count], result), against: try tensor([result.count], expected))
  }

  @Test func `is the largest difference as a share of the largest expected magnitude`() throws {
    let result = try tensor([2, 3], [1, 2, 3, 4, 5, -7])
    let expected = try tensor([2, 3], [1, 2, 3, 4.5, 5, -8])
    let error = BlobError(of: result, against: expected)
    #expect(error.absolute == 1)
    #expect(error.scale == 8)
    #expect(error.relative == 0.125)
    #expect(error.index == [1, 2])
    #expect(error.description == "0.125 at [1,2]: -7.0 instead of -8.0")
  }

  @Test func `is zero between equal blobs, zeros of either sign included`() throws {
    let error = try Self.compare([0, -0.0, 0], [0, 0, -0.0])
    #expect(error.relative == 0)
    #expect(error.index == nil)
    #expect(error.description == "0")
    #expect(try Self.compare([1, 2], [1, 2]).relative == 0)
  }

  @Test func `is infinite where zeros were expected and something came`() throws {
    #expect(try Self.compare([0, 1e-30], [0, 0]).relative == .infinity)
  }

  @Test func `takes NaN for NaN and an infinity for the same infinity`() throws {
    let error = try Self.compare(
      [.nan, .infinity, -.infinity, 1], [.nan, .infinity, -.infinity, 2])
    #expect(error.relative == 0.5)
    #expect(error.index == [3])
  }

  static let incomparable: [([Float], [Float])] = [
    ([.nan, 1], [1, 1]), ([1, 1], [.nan, 1]), ([.infinity, 1], [1, 1]),
    ([1, 1], [-.infinity, 1]), ([.infinity, 1], [-.infinity, 1]), ([.nan, 0], [.infinity, 0]),
    ([.nan], [0]),
  ]

  @Test(arguments: incomparable)
  func `is infinite where one is no number and the other something else`(
    result: [Float], expected: [Float]
  ) throws {
    let error = try Self.compare(result, expected)
    #expect(error.relative == .infinity)
    #expect(error.index == [0])
  }
}
