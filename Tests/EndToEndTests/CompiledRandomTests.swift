import Foundation
import GoldenSupport
import IR
import Reference
import TestSupport
import Testing

/// Random networks compiled in different ways, against the reference evaluator.
struct CompiledRandomTests {
  /// How a network is compiled, by the seed's remainder.
  static let variants: [CompiledEngine] = [
    CompiledEngine(threads: 2),
    CompiledEngine(disablesPasses: true),
    // Vectors of four floats, on a CPU that has longer ones.
    CompiledEngine(architecture: "x86-64", threads: 3),
    CompiledEngine(preferredKernels: ["convolution_sparse", "inner_product_sparse"], threads: 2),
    CompiledEngine(preferredKernels: ["convolution_columns", "inner_product_dense"]),
  ]

  @Test(arguments: 0..<40)
  func `a compiled network computes what the evaluator computes`(seed: Int) throws {
    var options = RandomNetwork.Options()
    options.mixesItems = seed % 4 == 3
    try expectAgreement(seed, options, tolerance: 1e-4)
  }

  @Test(arguments: 100..<120)
  func `on integers a compiled network is exact`(seed: Int) throws {
    var options = RandomNetwork.Options()
    options.isExact = true
    options.hasSteps = true
    options.mixesItems = seed % 4 == 3
    try expectAgreement(seed, options, tolerance: 0)
  }

  private func expectAgreement(_ seed: Int, _ options: RandomNetwork.Options, tolerance: Double)
    throws
  {
    let network = try RandomNetwork(seed: UInt64(seed), options: options)
    let inputs = try inputs(of: network, seed)
    let expected = try referenceEngine(network.graph, inputs)
    let engine = Self.variants[seed % Self.variants.count]
    let compiled = try engine(network.graph, inputs)
    for output in network.graph.outputs {
      #expect(compiled.final[network.graph[output].name] != nil)
    }
    for (key, tensor) in compiled.layers.sorted(by: { $0.key < $1.key }) {
      let wanted = try #require(expected.layers[key], "\(key) is no blob of the network")
      #expect(tensor.shape == wanted.shape, "\(key)")
      let error = BlobError(of: tensor, against: wanted)
      #expect(error.relative <= tolerance, "\(key): \(error)\n\(network.graph)")
    }
  }

  private func inputs(of network: RandomNetwork, _ seed: Int) throws -> [String: Tensor] {
    let items = network.graph.batch == .perItem ? 1 + seed % 3 : 1
    var result: [String: Tensor] = [:]
    for (value, tensor) in try network.inputs(seed: UInt64(seed), items: items) {
      result[network.graph[value].name] = tensor
    }
    return result
  }
}
