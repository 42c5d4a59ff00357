import IR
import Reference
import TestSupport
import Testing

@Suite struct RandomNetworkTests {
  /// All options together, one set per seed.
  static func options(_ seed: UInt64) -> RandomNetwork.Options {
    var options = RandomNetwork.Options()
    options.isExact = seed % 2 == 0
    options.hasSteps = seed % 3 == 0
    options.mixesItems = seed % 5 == 0
    return options
  }

  @Test func `the same seed gives the same network`() throws {
    for seed in 0..<10 as Range<UInt64> {
      let first = try RandomNetwork(seed: seed, options: Self.options(seed))
      let second = try RandomNetwork(seed: seed, options: Self.options(seed))
      #expect(first.graph == second.graph)
      #expect(try first.inputs(seed: 1) == second.inputs(seed: 1))
    }
  }

  @Test func `some seed has every type of layer`() throws {
    var seen: Set<String> = []
    for seed in 0..<600 as Range<UInt64> {
      let graph = try RandomNetwork(seed: seed, options: Self.options(seed)).graph
      for node in graph.order { seen.insert(graph[node].operation.layer.typeName) }
    }
    // Repack is no layer of a network: lowering adds it.
    let expected: Set<String> = [
      "AbsVal", "ArgMax", "BNLL", "BatchNorm", "BatchReindex", "Bias", "Clip", "Concat",
      "Convolution", "Crop", "Deconvolution", "Dropout", "ELU", "Eltwise", "Embed", "Exp",
      "Flatten", "Im2col", "InnerProduct", "LRN", "Log", "MVN", "PReLU", "Parameter", "Pooling",
      "Power", "ReLU", "Reduction", "Reshape", "SPP", "Scale", "Sigmoid", "Silence", "Slice",
      "Softmax", "Split", "Swish", "TanH", "Threshold", "Tile",
    ]
    #expect(expected.subtracting(seen) == [])
    #expect(seen.subtracting(expected) == [])
  }

  /// The maximum of a window of pooling that lies beyond the image.
  private static let emptyWindow = -Float.greatestFiniteMagnitude

  @Test func `exact networks hold small integers only, real ones hold numbers`() throws {
    for seed in 0..<40 as Range<UInt64> {
      let network = try RandomNetwork(seed: seed, options: Self.options(seed))
      let inputs = try network.inputs(seed: seed)
      _ = try Evaluator(network.graph).run(inputs: inputs) { value, tensor in
        let isFine = tensor.values.allSatisfy {
          $0 == Self.emptyWindow
            || (network.options.isExact
              ? $0 == $0.rounded() && abs($0) < 16_777_216 : abs($0) < 1e6)
        }
        let largest = tensor.values.map(abs).max() ?? 0
        #expect(isFine, "seed \(seed), \(network.graph[value].name), up to \(largest)")
      }
    }
  }

  @Test func `half of the networks or more make something of their input`() throws {
    var alive = 0
    for seed in 0..<60 as Range<UInt64> {
      let network = try RandomNetwork(seed: seed, options: Self.options(seed))
      let results = try [1, 2].map { inputSeed in
        try Evaluator(network.graph).run(inputs: network.inputs(seed: inputSeed))
      }
      if results[0] != results[1] { alive += 1 }
    }
    #expect(alive >= 30)
  }
}
