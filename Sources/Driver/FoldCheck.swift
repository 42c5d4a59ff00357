import Foundation
import IR
import Reference

/// The outputs of a folded network beside those of the original one, for one random input.
struct FoldCheck: Encodable, Sendable {
  /// One output.
  struct Output: Encodable, Sendable {
    var name: String
    /// max|a - b| / max|b|.
    var error: Double
    /// Where the largest difference is; empty if there is none.
    var index: [Int]
  }

  /// The largest error that is put down to the order of summation.
  static let tolerance = 1e-4

  var ok: Bool
  var tolerance = FoldCheck.tolerance
  var outputs: [Output]

  /// Whether the folded network does what the original one does.
  var isOK: Bool { ok }

  /// The output with the largest error.
  var worst: Output? { outputs.max { $0.error < $1.error } }

  /// Evaluates both networks, on all cores.
  ///
  /// - Throws: if one cannot be evaluated.
  init(_ before: Graph, _ after: Graph, progress: (String, Double) -> Void)
    throws(EvaluationError)
  {
    var generator = SeededGenerator(seed: 1)
    var inputs: [String: Tensor] = [:]
    for input in before.inputs {
      let values = RandomInput.values(for: input, in: before, generator: &generator)
      inputs[before[input].name] = Tensor(shape: before[input].shape, values: values)
    }
    let expected = try Self.evaluate(before, inputs) { progress($0, 0.5 * $1) }
    let results = try Self.evaluate(after, inputs) { progress($0, 0.5 + 0.5 * $1) }
    outputs = zip(before.outputs, after.outputs).compactMap { old, new in
      guard let wanted = expected[old], let there = results[new], there.shape == wanted.shape
      else { return nil }
      let error = BlobError(of: there, against: wanted)
      return Output(name: before[old].name, error: error.relative, index: error.index ?? [])
    }
    ok =
      outputs.count == before.outputs.count && after.outputs.count == before.outputs.count
      && outputs.allSatisfy { $0.error <= Self.tolerance }
  }

  private static func evaluate(
    _ graph: Graph, _ inputs: [String: Tensor], progress: (String, Double) -> Void
  ) throws(EvaluationError) -> [ValueID: Tensor] {
    let threads = max(1, ProcessInfo.processInfo.activeProcessorCount)
    let total = Double(max(graph.liveValues.count, 1))
    var done = 0.0
    return try Evaluator(graph, threads: threads).run(named: inputs) { value, _ in
      done += 1
      progress("compare \(graph[value].name)", done / total)
    }
  }

  /// The result for people.
  var text: String {
    guard let worst else { return "check: FAILED, the outputs are not the same\n" }
    let place =
      worst.index.isEmpty ? "" : " at [\(worst.index.map(String.init).joined(separator: ","))]"
    let error = worst.error == 0 ? "0" : Quantity.exponent(worst.error)
    return "check: \(ok ? "OK" : "FAILED"), \(Quantity.plural(outputs.count, "output")) compared, "
      + "largest error \(error) in \(worst.name.onOneLine)\(place), "
      + "limit \(Quantity.exponent(tolerance))\n"
  }
}
