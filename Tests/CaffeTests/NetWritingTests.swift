import IR
import Reference
import TestSupport
import Testing

@testable import Caffe

/// Writing and reading give the same network, to the bit.
struct NetWritingLawTests {
  /// Networks of every layer type, 64 for each start.
  @Test(arguments: 0..<UInt64(8)) func `a random network comes back to the bit`(_ chunk: UInt64)
    throws
  {
    for seed in chunk * 64..<(chunk + 1) * 64 {
      var options = RandomNetwork.Options()
      options.hasSteps = true
      options.mixesItems = seed % 3 == 0
      let network = try RandomNetwork(seed: seed, options: options)
      let rewritten = try Rewritten(network.graph)
      let expected = try network.graph.withPlainPooling().anonymousDescription
      #expect(rewritten.graph.anonymousDescription == expected, "seed \(seed)")
      try expectSameResults(
        network.graph, rewritten.graph, inputs: try network.inputs(seed: seed), "seed \(seed)")
      let again = try NetWriter.write(rewritten.graph)
      #expect(again.definition.text == rewritten.written.definition.text, "seed \(seed)")
      #expect(again.weights == rewritten.written.weights, "seed \(seed)")
    }
  }

  @Test(arguments: UInt64(0)..<16) func `weights of the Winograd domain come back to the bit`(
    _ seed: UInt64
  ) throws {
    var options = RandomNetwork.Options()
    options.transforms = 1
    options.kinds = [.convolution, .inception, .bottleneck]
    let network = try RandomNetwork(seed: seed, options: options)
    let rewritten = try Rewritten(network.graph)
    let expected = try network.graph.withPlainPooling().anonymousDescription
    #expect(rewritten.graph.anonymousDescription == expected)
    try expectSameResults(
      network.graph, rewritten.graph, inputs: try network.inputs(seed: seed), "seed \(seed)")
  }

  @Test func `the random networks have layers of every type that can be read`() throws {
    var types: Set<String> = []
    for seed in UInt64(0)..<512 {
      var options = RandomNetwork.Options()
      options.hasSteps = true
      options.mixesItems = seed % 3 == 0
      let graph = try RandomNetwork(seed: seed, options: options).graph
      types.formUnion(try NetWriter.write(graph).weights.layers.map(\.type))
    }
    let computing = LayerReaders.all.filter { type in
      switch type.role {
      case .computed, .computedPerBottom: !type.name.hasPrefix("MKL")
      case .data, .refused, .trainingOnly: false
      }
    }
    // Types of forks are written as those of Caffe.
    let forks = [
      "CConvolution", "CInnerProduct", "ConvolutionReLU", "ConvolutionReLUPool",
      "ConvolutionReLUPoolLRN", "InnerProductReLUDropout", "ReLUPooling", "Winograd",
    ]
    #expect(Set(computing.map(\.name)).subtracting(forks).subtracting(types) == [])
  }
}

/// Needs the published files beside the checkout; without them there is nothing to read.
/// One net at a time: the parameters of some take half a gigabyte.
@Suite(.serialized, .enabled(if: SharedFiles.areThere, "../shared/models/prototxt is missing"))
struct NetWritingPublishedNetsTests {
  private static let nets = SharedFiles.prototxts(in: "models/prototxt")
    .filter { !$0.contains("solver") }

  @Test(arguments: nets) func `a published net with other weights comes back`(_ file: String)
    throws
  {
    let prototxt = try Prototxt.read(SharedFiles.path("models/prototxt", file))
    // Those whose data says nothing about its size get one that fits; some cannot be compiled at all.
    var options = NetReader.Options()
    options.weightsOptional = true
    let shapes = [nil, [1, 28, 28], [3, 32, 32]]
    let nets = shapes.lazy.compactMap { shape in
      options.inputShapes = shape.map { [NetReader.InputShape(extents: $0)] } ?? []
      return try? NetReader.read(prototxt, options: options)
    }
    guard let net = nets.first else {
      #expect(file.hasSuffix("mnist_autoencoder.prototxt") || file.contains("resnet_template"))
      return
    }
    let graph = net.graph.withVariedWeights()
    let rewritten = try Rewritten(graph, throughBytes: false)
    let expected = try graph.withPlainPooling()
    #expect(rewritten.graph.anonymousDescription == expected.anonymousDescription)
    #expect(names(of: rewritten.graph) == names(of: graph))
    let again = try NetWriter.write(rewritten.graph)
    #expect(again.definition == rewritten.written.definition)
  }

  private func names(of graph: Graph) -> [String] {
    (graph.inputs + graph.outputs).map { graph[$0].name }
  }

  private static let models: [(net: String, weights: String)] = [
    ("lenet5/lenet5.prototxt", "lenet5/caffe_lenet5_sparse.caffemodel"),
    ("lenet300100/lenet300100.prototxt", "lenet300100/caffe_lenet300100_sparse.caffemodel"),
  ]

  @Test(arguments: models) func `a pruned model computes the same when it comes back`(
    _ model: (net: String, weights: String)
  ) throws {
    let caffemodel = try Caffemodel(
      data: SharedFiles.contents("models/\(model.weights)"), file: model.weights)
    let graph = try NetReader.read(
      Prototxt.read(SharedFiles.path("models", model.net)),
      weights: [NetReader.Weights(caffemodel, file: model.weights)]
    ).graph
    let rewritten = try Rewritten(graph)
    var inputs: [ValueID: Tensor] = [:]
    for input in graph.inputs { inputs[input] = try .random(graph[input].shape.extents, seed: 1) }
    try expectSameResults(graph, rewritten.graph, inputs: inputs)
  }
}
