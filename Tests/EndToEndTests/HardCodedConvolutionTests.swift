import Codegen
import GoldenSupport
import IR
import Passes
import Reference
import TestSupport
import Testing

@testable import Driver

/// Convolutions whose pattern of nonzeros is code: on integers they agree with the evaluator exactly.
struct HardCodedConvolutionTests {
  private static let engines = [
    CompiledEngine(disablesPasses: true, preferredKernels: ["convolution_hardcoded"]),
    CompiledEngine(
      disablesPasses: true, preferredKernels: ["convolution_hardcoded"], threads: 3),
  ]

  private static let activations: [ElementwiseFunction?] = [
    nil, .relu(slope: 0), .relu(slope: 2),
  ]

  /// Images of many sizes, so that the last tile overlaps; outputs with and without a halo of their own.
  @Test(arguments: 0..<16)
  func `a hard-coded convolution computes what the evaluator computes`(seed: Int) throws {
    var random = TestSupport.SeededGenerator(seed: UInt64(seed))
    var net = try Net(&random)
    for index in 0..<2 {
      let groups = random.pick([1, 1, 2])
      let kernel = random.pick([1, 3, 5])
      let window = Window(
        kernel: [kernel, kernel], stride: index == 0 && random.chance(0.3) ? [2, 2] : [1, 1],
        pad: [kernel / 2, random.integer(0...kernel / 2)],
        dilation: kernel == 3 && random.chance(0.3) ? [1, 2] : [1, 1])
      try net.convolve(
        Convolution(
          filters: groups * random.integer(1...9), window: window, groups: groups,
          hasBias: random.chance(0.7),
          activation: random.pick(Self.activations)), &random)
    }
    // What reads without a halo lets the convolution write rows without gaps.
    if random.chance(0.5) { try net.flatten() }
    let inputs = try net.inputs(items: 1 + seed % 3, &random)
    let expected = try referenceEngine(net.graph, inputs)
    let compiled = try Self.engines[seed % 2](net.graph, inputs)
    for (key, tensor) in expected.layers {
      let result = try #require(compiled.layers[key])
      #expect(result.values == tensor.values, "\(key)\n\(net.graph)")
    }
  }

  @Test func `the kernel really is the one that these networks are compiled with`() throws {
    var random = TestSupport.SeededGenerator(seed: 3)
    var net = try Net(&random)
    try net.convolve(
      Convolution(filters: 7, window: Window(kernel: [3, 3])), &random, share: 0.2)
    let graph = net.graph
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    let candidates = KernelCatalog(target: target).candidates(for: graph.order[0], in: graph)
    let candidate = try #require(candidates.first { $0.kernel == "convolution_hardcoded" })
    #expect(candidate.cost != nil && candidate.codeBytes > 0)
  }

  @Test func `code for AVX-512 assembles`() throws {
    var random = TestSupport.SeededGenerator(seed: 5)
    var net = try Net(&random)
    try net.convolve(
      Convolution(filters: 31, window: Window(kernel: [3, 3])), &random, share: 0.3)
    let target = Target(architecture: "x86-64-v4", lanes: 16)
    let chooser = ChooseKernels(
      source: CatalogSource(catalog: KernelCatalog(target: target)), weightForm: .hardCoded)
    let lowered = try chooser.run(net.graph)
    var emitter = ModelEmitter(lowered: lowered, target: target, maximumBatch: 1)
    // However little there is to do, threads share it.
    emitter.sharedItemSeconds = 0
    let model = emitter.emit()
    #expect(model.code.contains("{1to16}"))
    let folder = try BuildFolder.temporary()
    try folder.write(model, manifest: Array("{}".utf8))
    try Assembler.assemble(
      BuildFolder.assembly(code: model.code, folder: folder.path), to: "\(folder.path)/kernels.o")
  }
}

/// A chain of convolutions with integer weights.
private struct Net {
  var graph = Graph(name: "hard-coded")
  private var current: ValueID
  private let data: ValueID

  init(_ random: inout TestSupport.SeededGenerator) throws {
    let extents = [
      1, 2 * random.integer(1...3), random.integer(16...27), random.integer(16...27),
    ]
    data = graph.addInput(name: "data", shape: try Shape(extents))
    current = data
    graph.setOutputs([data])
  }

  mutating func convolve(
    _ layer: Convolution, _ random: inout TestSupport.SeededGenerator, share: Double? = nil
  ) throws {
    var layer = layer
    // As many groups as the channels can be shared among.
    if graph[current].shape[1] % layer.groups != 0 { layer.groups = 1 }
    let density = share ?? random.pick([0.05, 0.3, 1])
    let parameters = try layer.parameters(for: [graph[current].shape]).map { slot in
      Tensor(
        shape: slot.shape,
        values: (0..<slot.shape.count).map { _ in
          random.chance(density) ? Float(random.pick([-2, -1, 1, 2])) : 0
        })
    }
    let name = "convolution\(graph.order.count)"
    let node = try graph.append(
      .convolution(layer), name: name, inputs: [current], parameters: parameters,
      outputNames: [name])
    try finish(node)
  }

  mutating func flatten() throws {
    try finish(
      try graph.append(
        .flatten(Flatten()), name: "flat", inputs: [current], outputNames: ["flat"]))
  }

  func inputs(items: Int, _ random: inout TestSupport.SeededGenerator) throws -> [String: Tensor] {
    let shape = try graph[data].shape.replacing(axis: 0, with: items)
    let values = (0..<shape.count).map { _ in Float(random.integer(-3...3)) }
    return ["data": Tensor(shape: shape, values: values)]
  }

  private mutating func finish(_ node: NodeID) throws {
    current = graph[node].outputs[0]
    graph.setOutputs([current])
    try graph.settleBatch()
  }
}
