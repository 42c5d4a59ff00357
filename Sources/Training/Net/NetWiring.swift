import IR

/// Which layer reads what of a net: blobs by number, where every layer's top is a blob of its own, also one that is
/// computed in place.
struct NetWiring {
  struct Wire {
    var name: String
    var shape: Shape
    var producer: Int
    var lossWeight: Float
    /// Layers with the place among their bottoms, in the order in which they run.
    var readers: [(layer: Int, bottom: Int)] = []
  }

  private(set) var wires: [Wire] = []
  /// For every layer the blobs that it reads and makes.
  private(set) var bottoms: [[Int]] = []
  private(set) var tops: [[Int]] = []
  /// The last blob of every name.
  private(set) var latest: [String: Int] = [:]

  /// - Throws: if a layer reads a blob that none before it makes, or one of another shape than it expects.
  init(_ net: TrainingNet) throws(Diagnostic) {
    for (index, layer) in net.layers.enumerated() {
      var read: [Int] = []
      for (place, bottom) in layer.bottoms.enumerated() {
        guard let wire = latest[bottom] else {
          throw .error(
            "\(layer.title) reads \"\(bottom)\", which no layer before it makes", at: layer.location
          )
        }
        guard wires[wire].shape == layer.inputShapes[place] else {
          throw .error(
            "\(layer.title) expects \"\(bottom)\" in shape \(layer.inputShapes[place]), it has "
              + "\(wires[wire].shape)", at: layer.location)
        }
        wires[wire].readers.append((index, place))
        read.append(wire)
      }
      bottoms.append(read)
      tops.append(
        zip(layer.tops, layer.outputShapes).enumerated().map { place, top in
          let weight = place < layer.lossWeights.count ? layer.lossWeights[place] : 0
          wires.append(Wire(name: top.0, shape: top.1, producer: index, lossWeight: weight))
          latest[top.0] = wires.count - 1
          return wires.count - 1
        })
    }
  }

  /// Whether a top of the layer has the name of its first bottom.
  func isInPlace(_ layer: Int) -> Bool {
    guard let bottom = bottoms[layer].first, let top = tops[layer].first else { return false }
    return wires[bottom].name == wires[top].name
  }
}
