import IR
import Passes
import TestSupport
import Testing

/// The reference evaluator's view of a graph before and after a pass.
struct Equivalence {
  let before: Graph
  let after: Graph

  /// Evaluates both on the same random input; every blob that both have must agree to `tolerance`, channel by
  /// channel, and all outputs must be there. Graphs of integers whose pass only moves things agree exactly.
  func check(
    seed: UInt64, tolerance: Double, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    try after.verify()
    var inputs: [ValueID: Tensor] = [:]
    for (index, input) in before.inputs.enumerated() {
      var random = SeededGenerator(seed: seed &+ UInt64(index))
      inputs[input] = .random(before[input].shape, .integers(limit: 2), &random)
    }
    let comparison = try GraphComparison(before, after, inputs: inputs, tolerance: tolerance)
    #expect(
      comparison.differences == [], "\(before)\n\(after)", sourceLocation: sourceLocation)
    #expect(comparison.compared > 0, sourceLocation: sourceLocation)
  }
}

extension Finding.Kind {
  var isFused: Bool {
    if case .fused = self { return true }
    return false
  }
}

/// Short graphs by hand.
extension Graph {
  /// A graph with one input of 1 x 2 x 5 x 5.
  static func image(_ channels: Int = 2) throws -> (graph: Graph, data: ValueID) {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, channels, 5, 5]))
    return (graph, data)
  }

  /// Appends a layer with small integers as parameters, and returns its first output, or its input if it has none.
  mutating func add(
    _ operation: Operation, _ name: String, _ inputs: [ValueID], outputs: [String]? = nil
  ) throws -> ValueID {
    let shapes = inputs.map { self[$0].shape }
    var random = SeededGenerator(seed: UInt64(order.count) &+ 17)
    let parameters = try operation.layer.parameters(for: shapes).map { slot in
      Tensor(
        shape: slot.shape,
        values: (0..<slot.shape.count).map { _ in Float(random.integer(1...3)) })
    }
    let node = try append(
      operation, name: name, inputs: inputs, parameters: parameters,
      outputNames: outputs ?? [name])
    return self[node].outputs.first ?? inputs[0]
  }

  /// The names and types of all nodes, in order.
  var layers: [String] { order.map { "\(self[$0].name):\(self[$0].operation.layer.typeName)" } }
}
