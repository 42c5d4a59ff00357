import Caffe
import Foundation
import IR

/// Seeded random weights for a network, as sparse as asked for.
struct RandomWeights {
  /// The share of weights that are not zero, by layer name.
  var densities: [String: Double]
  /// The share in Convolution and InnerProduct layers that `densities` does not name.
  var defaultDensity: Double
  private var generator: SplitMix64

  init(densities: [String: Double], defaultDensity: Double, seed: UInt64) {
    self.densities = densities
    self.defaultDensity = defaultDensity
    generator = SplitMix64(state: seed)
  }

  /// Weights for all layers of a graph.
  mutating func model(for graph: Graph) throws(Diagnostic) -> Caffemodel {
    let names = Set(graph.order.map { graph[$0].name })
    for name in densities.keys.sorted() where !names.contains(name) {
      throw .error("--density \(name): the network has no such layer")
    }
    var layers: [LayerBlobs] = []
    for id in graph.order where !graph[id].parameters.isEmpty {
      layers.append(try blobs(for: graph[id]))
    }
    return Caffemodel(name: graph.name, layers: layers)
  }

  private mutating func blobs(for node: Node) throws(Diagnostic) -> LayerBlobs {
    let shapes = node.parameters.map(\.shape)
    let blobs: [Tensor]
    switch node.operation.layer {
    case is Convolution, is InnerProduct:
      let density = densities[node.name] ?? defaultDensity
      // He et al., 2015: keeps the spread of values from layer to layer.
      let inputs = Double(shapes[0].count / shapes[0][0]) * density
      let weights = normals(shapes[0], deviation: (2 / max(inputs, 1)).squareRoot(), density)
      blobs = [weights] + shapes.dropFirst().map { normals($0, deviation: 0.1, 1) }
    case is BatchNorm:
      // Variances near one, which is what such weights make of normal inputs; the factor is one.
      blobs = [
        normals(shapes[0], deviation: 0.1, 1), uniforms(shapes[1], 0.5...1.5),
        uniforms(shapes[2], 1...1),
      ]
    case is Scale:
      blobs =
        [uniforms(shapes[0], 0.5...1)] + shapes.dropFirst().map { normals($0, deviation: 0.1, 1) }
    default:
      throw .error(
        "layer \(node.name) (\(node.sourceType)): only Convolution, InnerProduct, BatchNorm and Scale layers get weights",
        at: node.location)
    }
    return LayerBlobs(name: node.name, type: node.sourceType, blobs: blobs.map { Blob($0) })
  }

  /// Evenly distributed values.
  private mutating func uniforms(_ shape: Shape, _ range: ClosedRange<Double>) -> Tensor {
    let width = range.upperBound - range.lowerBound
    let values = (0..<shape.count).map { _ in
      Float(range.lowerBound + width * generator.uniform())
    }
    return Tensor(shape: shape, values: values)
  }

  /// Normally distributed values, of which the share `density` is not zero.
  private mutating func normals(_ shape: Shape, deviation: Double, _ density: Double) -> Tensor {
    var values = [Float](repeating: 0, count: shape.count)
    for index in values.indices where generator.uniform() < density {
      values[index] = Float(generator.normal() * deviation)
    }
    return Tensor(shape: shape, values: values)
  }
}

/// Random numbers that are the same in every run (SplitMix64; Steele, Lea and Flood, 2014).
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// At least 0, below 1.
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Standard normal (Box and Muller, 1958).
  mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
