import Foundation
import IR
import Reference
import TestSupport
import Testing

@testable import Caffe

/// A network that was written and read again.
struct Rewritten {
  let written: WrittenNet
  let graph: Graph

  /// Through the bytes of both files, unless the weights are too large for that to be quick.
  init(_ graph: Graph, throughBytes: Bool = true) throws {
    written = try NetWriter.write(graph)
    let text = written.definition.text
    let prototxt = try Prototxt.parse(text: text, file: "out.prototxt", as: .net)
    #expect(prototxt.warnings.isEmpty)
    var weights = written.weights
    if throughBytes {
      weights = try Caffemodel(
        data: written.weights.serialized(file: "out.caffemodel"), file: "out.caffemodel")
      #expect(weights.layers == written.weights.layers)
    }
    var options = NetReader.Options()
    options.maximumParameters = 1 << 30
    let net = try NetReader.read(
      prototxt, weights: [NetReader.Weights(weights, file: "out.caffemodel")], options: options)
    #expect(net.missingWeights.isEmpty)
    self.graph = net.graph
  }
}

extension Graph {
  /// The graph's text without names of blobs and layers, and with values numbered as they come.
  var anonymousDescription: String {
    var numbers: [Substring: Int] = [:]
    return description.replacing(/"[^"]*"/, with: "_").replacing(/%[0-9]+/) { match in
      let number = numbers[match.output] ?? numbers.count
      numbers[match.output] = number
      return "%\(number)"
    }
  }

  /// The graph as a file says it: a maximum that starts at 0 is one that a ReLU follows.
  func withPlainPooling() throws -> Graph {
    var graph = self
    for id in order {
      guard case .pooling(var pooling) = self[id].operation, pooling.startsAtZero else { continue }
      pooling.startsAtZero = false
      graph.update(id) { $0.operation = .pooling(pooling) }
      try graph.insert(
        behind: id, .elementwise(Elementwise(.relu(slope: 0))), name: "relu")
    }
    return graph
  }

  /// The graph with other weights, which differ from each other.
  func withVariedWeights() -> Graph {
    var graph = self
    for (place, id) in order.enumerated() {
      graph.update(id) { node in
        node.parameters = node.parameters.enumerated().map { slot, tensor in
          let start = UInt32(truncatingIfNeeded: place &* 31 &+ slot)
          let values = (0..<UInt32(tensor.count)).map { index in
            Float((index &+ start) &* 2_654_435_761 >> 16) * 0x1p-16
          }
          return Tensor(shape: tensor.shape, values: values)
        }
      }
    }
    return graph
  }
}

/// Checks that two graphs compute the same bits, output by output.
func expectSameResults(
  _ before: Graph, _ after: Graph, inputs: [ValueID: Tensor], _ comment: Comment? = nil,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  #expect(
    before.inputs.map { before[$0].name } == after.inputs.map { after[$0].name }, comment,
    sourceLocation: sourceLocation)
  try #require(before.outputs.count == after.outputs.count, comment, sourceLocation: sourceLocation)
  let same = Dictionary(
    uniqueKeysWithValues: zip(before.inputs, after.inputs).map { ($1, inputs[$0]) }
  ).compactMapValues(\.self)
  let expected = try Evaluator(before).run(inputs: inputs)
  let results = try Evaluator(after).run(inputs: same)
  for (old, new) in zip(before.outputs, after.outputs) {
    let bits = (expected[old]?.values ?? []).map(\.bitPattern)
    #expect(
      results[new]?.shape == expected[old]?.shape, comment, sourceLocation: sourceLocation)
    #expect(
      results[new]?.values.map(\.bitPattern) == bits, comment, sourceLocation: sourceLocation)
  }
}
