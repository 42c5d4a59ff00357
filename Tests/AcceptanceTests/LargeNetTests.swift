import Caffe
import Driver
import Foundation
import IR
import TestSupport
import Testing

/// Networks of published shapes with random weights: every blob that survives compilation is the
/// reference evaluator's.
@Suite(.serialized, .enabled(if: Workplace.isOptimized, "needs an optimised build"))
struct LargeNetTests {
  struct Case: CustomTestStringConvertible {
    var definition: String
    /// Fewer would mean that blobs are not found any more, and so not compared.
    var fewestBlobs: Int
    var testDescription: String { definition }
  }

  static let cases = [
    Case(
      definition: "models/prototxt/bvlc/models/bvlc_googlenet/deploy.prototxt", fewestBlobs: 80),
    Case(
      definition: "models/prototxt/skimcaffe/models/resnet/ResNet-50-train-val-gesl.prototxt",
      fewestBlobs: 80),
  ]

  @Test(
    .enabled(if: Workplace.has(cases.map(\.definition)), "needs ../shared/models"), arguments: cases
  )
  func `it computes what the reference evaluator does`(net: Case) throws {
    let place = try Workplace()
    let definition = try Workplace.shared(net.definition)
    let weights = place.path("random.caffemodel")
    let graph = try NetworkSource.read(definition: definition, weights: nil).graph
    try RandomWeights(seed: 1).model(for: graph).write(to: weights)
    var options = VerificationOptions(
      network: try place.compile(definition, weights), definition: definition, weights: weights)
    options.threads = 2
    let result = try NetVerification(options).run()
    print(
      "\(net.definition): \(result.blobs.count) blobs compared, \(result.vanished) vanished, "
        + "worst \(result.worst.map { "\($0.name) \($0.error)" } ?? "none")")
    #expect(result.isOK, "\(result.text)")
    #expect(result.blobs.count >= net.fewestBlobs)
    #expect(result.blobs.allSatisfy { blob in blob.values?.allSatisfy(\.isFinite) != false })
  }
}

/// Weights that keep values in bounds from layer to layer, pruned in every pattern.
private struct RandomWeights {
  private var random: SeededGenerator
  private static let patterns = ZeroPattern.allCases.filter { $0 != .everything }

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

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
      return random.pick(Self.patterns).applied(to: numbers(-limit...limit), &random)
    default: return numbers(-0.1...0.1)
    }
  }
}
