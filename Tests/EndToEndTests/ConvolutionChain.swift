import GoldenSupport
import IR
import Reference
import TestSupport
import Testing

/// A network of convolutions, each of which reads the one before.
struct ConvolutionChain {
  var graph = Graph(name: "chain")
  private var current: ValueID

  init(extents: [Int]) throws {
    current = graph.addInput(name: "data", shape: try Shape(extents))
    graph.setOutputs([current])
  }

  /// Channels of the last result.
  var channels: Int { graph[current].shape[1] }

  /// - Parameter weight: the value of all weights, if they are not random.
  mutating func convolve(
    _ layer: Convolution, _ random: inout TestSupport.SeededGenerator, density: Double = 1,
    weight: Float? = nil
  ) throws {
    var layer = layer
    // As many groups as the channels can be shared among.
    if graph[current].shape[1] % layer.groups != 0 { layer.groups = 1 }
    let parameters = try layer.parameters(for: [graph[current].shape]).map { slot in
      Tensor(
        shape: slot.shape,
        values: (0..<slot.shape.count).map { _ in
          weight ?? (random.chance(density) ? Float(random.integer(-1000...1000)) / 1000 : 0)
        })
    }
    let name = "convolution\(graph.order.count)"
    let node = try graph.append(
      .convolution(layer), name: name, inputs: [current], parameters: parameters,
      outputNames: [name])
    current = graph[node].outputs[0]
    graph.setOutputs([current])
    if graph[graph.inputs[0]].shape[0] == 1 { try graph.settleBatch() }
  }
}

/// Compares what a compiled graph computes from random inputs with what the evaluator does: `tolerance` is a share of a
/// blob's largest element, or of 1 if that is smaller.
func expectAgreement(
  _ graph: Graph, items: Int, engine: CompiledEngine, within tolerance: Double,
  _ random: inout TestSupport.SeededGenerator
) throws {
  let shape = graph[graph.inputs[0]].shape
  let isFixed = shape[0] > 1
  let inputs = [
    "data": Tensor.random(
      isFixed ? shape : try shape.replacing(axis: 0, with: items), .real(limit: 1), &random)
  ]
  let expected = try referenceEngine(graph, inputs)
  let compiled = try engine(graph, inputs)
  for (key, tensor) in expected.layers {
    let result = try #require(compiled.layers[key])
    let error = BlobError(of: result, against: tensor)
    #expect(error.absolute <= tolerance * max(error.scale, 1), "\(key): \(error)\n\(graph)")
  }
}
