import IR
import Testing

@testable import Driver
@testable import SparsecRuntime

/// Comparing blobs that have lost channels: a net of one ReLU over four channels of two pixels.
struct BlobComparisonTests {
  private static let expected: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]

  /// What is said about `there`, a blob with the channels that `channels` names.
  private func result(
    _ there: [Float], _ channels: [Int?], of count: Int = 4
  ) throws -> VerificationResult {
    var graph = Graph(name: "net")
    let shape = try Shape([1, 4, 1, 2])
    let data = graph.addInput(name: "data", shape: shape)
    let relu = try graph.append(
      .elementwise(Elementwise(.relu(slope: 0))), name: "relu", inputs: [data],
      outputNames: ["relu"])
    let output = graph[relu].outputs[0]
    graph.setOutputs([output])
    let extents = [1, channels.count, 1, 2]
    let blob = SparsecRuntime.Blob(
      name: "relu", layer: "relu", shape: extents, count: 2 * channels.count)
    let left = Manifest.ReducedBlob(blob: "relu", layer: "relu", channels: channels, of: count)
    var comparison = BlobComparison([blob], reduced: [left], graph)
    comparison.add(
      output, Tensor(shape: shape, values: Self.expected),
      compiled: [ResultArray(name: "relu", shape: extents, values: there)])
    return comparison.result(tolerance: 0)
  }

  @Test func `channels that are left are compared with their own`() throws {
    let result = try result([3, 4, 7, 8], [1, 3])
    #expect(result.isOK)
    #expect(result.blobs.first?.channels == VerificationResult.Channels(compared: 2, of: 4))
    // The input is no blob of the compiled net.
    #expect(result.vanished == 1)
    #expect(
      result.text == """
        1 blob compared, 1 of them in the channels that are left, 1 of the definition gone or fused
        worst: relu of layer relu, error 0
        OK: within the limit of 0

        """)
  }

  @Test func `a difference is told at its place in the definition's blob`() throws {
    let result = try result([3, 4, 7, 4], [1, 3])
    #expect(!result.isOK)
    #expect(result.worst?.error == 0.5)
    #expect(result.worst?.index == [0, 3, 0, 1])
    #expect(result.worst?.values == [4, 8])
  }

  @Test func `what only fills a place is not compared`() throws {
    #expect(try result([3, 4, .nan, 99, 7, 8], [1, nil, 3]).isOK)
    let later = try result([.nan, 99, 7, 4], [nil, 3])
    #expect(later.worst?.index == [0, 3, 0, 1])
  }

  @Test func `a blob without content counts as vanished`() throws {
    let result = try result([1, 2], [nil])
    #expect(result.blobs.isEmpty)
    #expect(result.vanished == 2)
    #expect(!result.outputsAreThere)
  }

  @Test(arguments: [[1], [1, 2], [1, 4], [1, -1]] as [[Int?]])
  func `a list of channels that does not fit is a difference`(channels: [Int?]) throws {
    let isFine = channels == [1, 2]
    let values = [Float](Self.expected[2..<6])
    let result = try result(values, channels, of: 4)
    #expect(result.isOK == isFine)
    #expect(isFine || result.worst?.error == .infinity)
    #expect(try self.result(values, channels, of: 5).worst?.error == .infinity)
  }
}
