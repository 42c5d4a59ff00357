import Caffe
import IR
import TestSupport

/// Weights that keep values in bounds from layer to layer, pruned as asked for.
struct RandomWeights {
  private var random: SeededGenerator
  /// One of them for each weight matrix.
  private let patterns: [ZeroPattern]
  /// Layers whose weights are zero; their biases are not.
  private let dead: Set<String>

  init(seed: UInt64, patterns: [ZeroPattern], dead: Set<String> = []) {
    random = SeededGenerator(seed: seed)
    self.patterns = patterns
    self.dead = dead
  }

  consuming func model(for graph: Graph) -> Caffemodel {
    var layers: [LayerBlobs] = []
    for node in graph.order.map({ graph[$0] }) where !node.parameters.isEmpty {
      let blobs = node.parameters.indices.map { Blob(tensor($0, of: node)) }
      layers.append(LayerBlobs(name: node.name, type: node.sourceType, blobs: blobs))
    }
    return Caffemodel(name: graph.name, layers: layers)
  }

  private mutating func tensor(_ slot: Int, of node: Node) -> Tensor {
    let shape = node.parameters[slot].shape
    func numbers(_ range: ClosedRange<Float>) -> Tensor {
      Tensor(
        shape: shape,
        values: (0..<shape.count).map { _ in Float.random(in: range, using: &random) })
    }
    switch (node.sourceType, slot) {
    case ("BatchNorm", 1): return numbers(0.5...1.5)
    case ("BatchNorm", 2): return Tensor(shape: shape, repeating: 1)
    case ("Scale", 0): return numbers(0.5...1)
    case ("Convolution", 0), ("InnerProduct", 0):
      // The spread of He et al., 2015, before some of them go.
      let limit = (6 / Float(max(shape.count / shape[0], 1))).squareRoot()
      let pattern = random.pick(patterns)
      return (dead.contains(node.name) ? .everything : pattern)
        .applied(to: numbers(-limit...limit), &random)
    default: return numbers(-0.1...0.1)
    }
  }
}
