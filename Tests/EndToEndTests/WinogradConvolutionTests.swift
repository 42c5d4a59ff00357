import Caffe
import Codegen
import GoldenSupport
import IR
import Passes
import Reference
import TestSupport
import Testing

@testable import Driver

/// Convolutions by Winograd's minimal filtering: they agree with the evaluator within the rounding that their
/// header states.
struct WinogradConvolutionTests {
  private static let kernel = "convolution_winograd"

  private static let engines = [
    CompiledEngine(disablesPasses: true, preferredKernels: [kernel]),
    CompiledEngine(disablesPasses: true, preferredKernels: [kernel], threads: 3),
    // Vectors of four floats, on a CPU that has longer ones.
    CompiledEngine(
      architecture: "x86-64", disablesPasses: true, preferredKernels: [kernel], threads: 2),
  ]

  private static let activations: [ElementwiseFunction?] = [
    nil, .relu(slope: 0), .relu(slope: 0.25),
  ]

  /// Two in a row, so that one writes what the other reads; images of many sizes, with and without batches.
  @Test(arguments: 0..<24)
  func `a convolution in tiles computes what the evaluator computes`(seed: Int) throws {
    var random = TestSupport.SeededGenerator(seed: UInt64(seed))
    let items = 1 + seed % 3
    var net = try ConvolutionChain(
      extents: [
        seed % 8 == 7 ? items : 1, 2 * random.integer(1...8), random.integer(5...30),
        random.integer(5...30),
      ])
    for index in 0..<2 {
      let groups = random.pick([1, 1, 2])
      let kernel = index == 0 ? random.pick([3, 5]) : 3
      let window = Window(
        kernel: [kernel, kernel], stride: [1, 1], pad: [random.integer(0...2), kernel / 2],
        dilation: [1, 1])
      try net.convolve(
        Convolution(
          filters: groups * random.integer(1...17), window: window, groups: groups,
          hasBias: random.chance(0.7), activation: random.pick(Self.activations)), &random)
    }
    try expectAgreement(
      net.graph, items: items, engine: Self.engines[seed % 3], within: 2e-5, &random)
  }

  /// So many tiles and channels that there are several bands of tiles and blocks of channels.
  @Test(arguments: 0..<3)
  func `large layers too`(seed: Int) throws {
    var random = TestSupport.SeededGenerator(seed: UInt64(100 + seed))
    var net = try ConvolutionChain(extents: [1, 150, 38 + seed, 45])
    let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    try net.convolve(
      Convolution(filters: 41, window: window, activation: .relu(slope: 0)), &random)
    try expectAgreement(net.graph, items: 1, engine: Self.engines[seed], within: 2e-5, &random)
  }

  /// The layer type Winograd of SkimCaffe: few weights are left in the Winograd domain, but in space all are.
  @Test func `weights pruned in the Winograd domain are multiplied there`() throws {
    var random = TestSupport.SeededGenerator(seed: 7)
    let (channels, filters) = (64, 64)
    let pruned = try Tensor.random(
      Shape([6, 6, filters, channels]), .real(limit: 1), &random
    ).values.map { abs($0) < 0.8 ? 0 : $0 }
    let shape = try Shape([filters, channels, 3, 3])
    let weights = try #require(
      WinogradDomain.spatial(
        Tensor(shape: Shape([6, 6, filters, channels]), values: pruned), expected: shape))
    #expect(pruned.count { $0 == 0 } > pruned.count * 3 / 4)
    #expect(weights.density > 0.9)
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, channels, 40, 40]))
    let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    let node = try graph.append(
      .convolution(Convolution(filters: filters, window: window, hasBias: false)), name: "conv",
      inputs: [data], parameters: [weights], outputNames: ["conv"])
    graph.setOutputs(graph[node].outputs)
    let target = try Clang.find().target(named: "native")
    let lowered = try ChooseKernels(
      source: CatalogSource(catalog: KernelCatalog(target: target))
    ).run(graph)
    #expect(lowered.kernels[node]?.kernel == Self.kernel)
    try expectAgreement(graph, items: 1, engine: CompiledEngine(threads: 2), within: 2e-5, &random)
  }

  @Test func `other windows are declined in words`() throws {
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    func answer(_ layer: Convolution, weight: Float? = nil) throws -> Fit {
      var random = TestSupport.SeededGenerator(seed: 1)
      var net = try ConvolutionChain(extents: [1, 4, 20, 20])
      try net.convolve(layer, &random, weight: weight)
      let candidates = KernelCatalog(target: target).candidates(
        for: net.graph.order[0], in: net.graph)
      return try #require(candidates.first { $0.kernel == Self.kernel }).fit
    }
    func window(_ kernel: [Int], stride: Int = 1, dilation: Int = 1) -> Window {
      Window(
        kernel: kernel, stride: [stride, stride], pad: [0, 0], dilation: [dilation, dilation])
    }
    func convolution(_ window: Window) -> Convolution { Convolution(filters: 4, window: window) }
    let cases: [(Window, String)] = [
      (window([1, 1]), "its window is 1 x 1, not 3 x 3 or 5 x 5"),
      (window([3, 5]), "its window is 3 x 5, not 3 x 3 or 5 x 5"),
      (window([3, 3], stride: 2), "its stride is not 1"),
      (window([3, 3], dilation: 2), "its window is dilated"),
    ]
    for (window, reason) in cases {
      #expect(try answer(convolution(window)) == .declines(because: reason))
    }
    #expect(
      try answer(convolution(window([3, 3])), weight: .infinity)
        == .declines(because: "weights are enormous or no numbers"))
  }

  @Test func `dense layers of networks in use get it, sparse and pointwise ones do not`() throws {
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    func chosen(_ channels: Int, _ extent: Int, kernel: Int, density: Double) throws -> String {
      var random = TestSupport.SeededGenerator(seed: 1)
      var net = try ConvolutionChain(extents: [1, channels, extent, extent])
      let window = Window(
        kernel: [kernel, kernel], stride: [1, 1], pad: [kernel / 2, kernel / 2],
        dilation: [1, 1])
      try net.convolve(Convolution(filters: channels, window: window), &random, density: density)
      let candidates = KernelCatalog(target: target).candidates(
        for: net.graph.order[0], in: net.graph)
      let fitting = candidates.filter { $0.cost != nil }
      return try #require(fitting.min { ($0.cost ?? 0) < ($1.cost ?? 0) }).kernel
    }
    #expect(try chosen(64, 56, kernel: 3, density: 1) == Self.kernel)
    #expect(try chosen(64, 13, kernel: 3, density: 1) == Self.kernel)
    #expect(try chosen(64, 27, kernel: 5, density: 1) == Self.kernel)
    #expect(try chosen(64, 56, kernel: 3, density: 0.05) != Self.kernel)
    #expect(try chosen(64, 56, kernel: 1, density: 1) != Self.kernel)
  }
}
