import IR
import Passes
import Reference
import TestSupport
import Testing

/// A network before and after passes, both run by the reference evaluator.
struct GraphComparison {
  private let before: Graph
  private let expected: [Key: Tensor]
  private let inputs: [ValueID: Tensor]

  private struct Key: Hashable {
    var name: String
    var layer: String
  }

  /// Runs the network as it is on random numbers of -1 to 1.
  init(_ graph: Graph, seed: UInt64 = 1) throws {
    before = graph
    var random = SeededGenerator(seed: seed)
    var inputs: [ValueID: Tensor] = [:]
    for input in graph.inputs {
      let shape = graph[input].shape
      let values = (0..<shape.count).map { _ in Float.random(in: -1...1, using: &random) }
      inputs[input] = Tensor(shape: shape, values: values)
    }
    self.inputs = inputs
    var expected: [Key: Tensor] = [:]
    _ = try Evaluator(graph, threads: 2).run(inputs: inputs) { value, tensor in
      guard !graph[value].isInternal else { return }
      expected[Key(name: graph[value].name, layer: graph[value].layer)] = tensor
    }
    self.expected = expected
  }

  /// The largest error of any blob that is left, in the channels that are left, and how many blobs that are.
  ///
  /// All outputs must be there, whole.
  func error(of after: Graph) throws -> (worst: Double, blobs: Int) {
    #expect(after.outputs.map { after[$0].name } == before.outputs.map { before[$0].name })
    for output in after.outputs { #expect(after[output].channels == nil) }
    var worst = 0.0
    var blobs = 0
    _ = try Evaluator(after, threads: 2).run(inputs: inputs) { id, tensor in
      let value = after[id]
      guard !value.isInternal else { return }
      guard let wanted = expected[Key(name: value.name, layer: value.layer)] else {
        Issue.record("\(value.name) of \(value.layer) is no blob of the network before")
        return
      }
      let channels =
        value.channels ?? (wanted.shape.axes > 1 ? (0..<wanted.shape[1]).map { $0 } : nil)
      guard let channels else {
        worst = max(worst, BlobError(of: tensor, against: wanted).relative)
        blobs += 1
        return
      }
      let there = channels.indices.filter { channels[$0] != nil }
      guard !there.isEmpty else { return }
      let error = BlobError(
        of: tensor.selecting(there, along: 1),
        against: wanted.selecting(channels.compactMap(\.self), along: 1))
      worst = max(worst, error.relative)
      blobs += 1
    }
    return (worst, blobs)
  }

  /// The network after the structure passes alone.
  static func folded(_ graph: Graph) throws -> (graph: Graph, reports: [PassReport]) {
    try PassManager(stages: [Pipeline.structure(vocabulary: .everything)]).run(graph)
  }
}
