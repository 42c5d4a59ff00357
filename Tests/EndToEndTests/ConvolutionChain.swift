import IR
import TestSupport

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
