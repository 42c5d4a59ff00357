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

  /// Of these most lose filters, channels or whole layers.
  @Test(arguments: 200..<225)
  func `on integers a compiled network of structured zeros is exact`(seed: Int) throws {
    var options = RandomNetwork.Options.sparse(seed: seed, isExact: true)
    // Kernels add up in single precision, which the evaluator does not.
    options.hasFractions = false
    try expectAgreement(seed, options, tolerance: 0)
  }

  @Test(arguments: 300..<325)
  func `a compiled network of structured zeros computes what the evaluator computes`(seed: Int)
    throws
  {
    try expectAgreement(seed, .sparse(seed: seed, isExact: false), tolerance: 1e-4)
  }

  /// Weights of the Winograd domain, many of whose filters and channels are zero.
  @Test(arguments: 400..<430)
  func `a compiled network of transforms computes what the evaluator computes`(seed: Int) throws {
    var options =
      seed % 2 == 0
      ? RandomNetwork.Options() : RandomNetwork.Options.sparse(seed: seed, isExact: false)
    options.transforms = 0.9
    options.kinds = [.convolution, .convolution, .residual, .inception, .pooling, .bottleneck]
    // Products at the points are larger than the sums that are left of them.
    try expectAgreement(seed, options, tolerance: 4e-4)
  }

  private func expectAgreement(_ seed: Int, _ options: RandomNetwork.Options, tolerance: Double)
    throws
  {
    let network = try RandomNetwork(seed: UInt64(seed), options: options)
    let inputs = try inputs(of: network, seed)
    let expected = try referenceEngine(network.graph, inputs)
    let engine = Self.variants[seed % Self.variants.count]
    let compiled = try engine.observe(network.graph, inputs)
    for output in network.graph.outputs {
      #expect(compiled.blobs.final[network.graph[output].name] != nil)
    }
    for (key, tensor) in compiled.blobs.layers.sorted(by: { $0.key < $1.key }) {
      let original = try #require(expected.layers[key], "\(key) is no blob of the network")
      let value = try #require(compiled.values[key], "\(key) is no value of the passed graph")
      let (result, wanted) = try #require(value.counterparts(tensor, original), "\(key)")
      guard let result, let wanted else { continue }
      let error = BlobError(of: result, against: wanted)
      // What cancelled sums leave counts as if it were this large.
      let scale = max(error.scale, tolerance)
      #expect(error.absolute <= tolerance * scale, "\(key): \(error)\n\(network.graph)")
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
