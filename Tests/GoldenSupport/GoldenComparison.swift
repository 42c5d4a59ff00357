import IR
import Reference

/// An engine's blobs beside Caffe's.
public struct GoldenComparison: Sendable {
  /// How far a blob may be off: max|a - b| / max|b|.
  public static let tolerance = 1e-4

  /// What is wrong, one line per blob.
  public var failures: [String] = []
  /// The keys of the blobs that were compared.
  public var compared: Set<String> = []
  /// Blobs that Caffe shows and the engine does not.
  public var unseen: Set<String> = []
  /// The largest error of all.
  public var worst = 0.0

  /// Runs a case through an engine. Throws what the front end or the engine throws.
  public init(_ golden: GoldenCase, _ engine: Engine) throws {
    let graph = try golden.graph()
    let results = try engine(graph, try golden.inputs(of: graph))
    let expected = try golden.expected()
    compare(results.final, expected.final)
    compare(results.layers, expected.layers)
    for output in graph.outputs where !compared.contains(graph[output].name) {
      // Large nets show only some of their blobs.
      guard expected.final[graph[output].name] != nil else { continue }
      failures.append("output \(graph[output].name) was not shown")
    }
  }

  private mutating func compare(_ results: [String: Tensor], _ expected: [String: Tensor]) {
    for (key, expected) in expected.sorted(by: { $0.key < $1.key }) {
      guard let result = results[key] else {
        unseen.insert(key)
        continue
      }
      compared.insert(key)
      guard result.shape == expected.shape else {
        failures.append("\(key) has shape \(result.shape) instead of \(expected.shape)")
        continue
      }
      let error = Self.error(of: result, against: expected)
      worst = max(worst, error.relative)
      if !(error.relative <= Self.tolerance) { failures.append("\(key): \(error)") }
    }
  }

  /// The error, without the lowest numbers that both have in the same place: an empty pooling
  /// window gives one, beside which every other difference would vanish.
  private static func error(of result: Tensor, against expected: Tensor) -> BlobError {
    let lowest = -Float.greatestFiniteMagnitude
    let empty = expected.values.indices.filter {
      expected.values[$0] == lowest && result.values[$0] == lowest
    }
    var (a, b) = (result.values, expected.values)
    for index in empty {
      a[index] = 0
      b[index] = 0
    }
    return BlobError(
      of: Tensor(shape: result.shape, values: a), against: Tensor(shape: expected.shape, values: b))
  }
}
