import Codegen
import GoldenSupport
import IR
import Reference
import TestSupport
import Testing

@testable import Driver

/// Convolutions of each channel by itself: they agree with the evaluator.
struct DepthwiseConvolutionTests {
  private static let kernel = "convolution_depthwise"

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

  /// Two in a row, so that one writes what the other reads; maps from one column to many vectors, with and
  /// without batches, one filter of a channel or some.
  @Test(arguments: 0..<24)
  func `each channel by itself gives what the evaluator computes`(seed: Int) throws {
    var random = TestSupport.SeededGenerator(seed: UInt64(seed))
    let items = 1 + seed % 3
    var net = try ConvolutionChain(
      extents: [
        seed % 8 == 7 ? items : 1, random.integer(1...6), random.integer(5...40),
        random.integer(5...60),
      ])
    for _ in 0..<2 {
      let channels = net.channels
      let kernel = random.pick([3, 5])
      let stride = random.integer(1...2)
      let window = Window(
        kernel: [kernel, kernel], stride: [stride, stride],
        pad: [random.integer(kernel / 2...3), random.integer(kernel / 2...3)], dilation: [1, 1])
      try net.convolve(
        Convolution(
          filters: channels * random.integer(1...2), window: window, groups: channels,
          hasBias: random.chance(0.7), activation: random.pick(Self.activations)), &random)
    }
    try expectAgreement(
      net.graph, items: items, engine: Self.engines[seed % 3], within: 1e-5, &random)
  }

  private static let target = Target(architecture: "x86-64-v3", lanes: 8)

  @Test func `other layers are declined in words`() throws {
    func answer(_ window: Window, groups: Int = 4) throws -> Fit {
      var random = TestSupport.SeededGenerator(seed: 1)
      var net = try ConvolutionChain(extents: [1, 4, 20, 20])
      try net.convolve(Convolution(filters: 4, window: window, groups: groups), &random)
      let candidates = KernelCatalog(target: Self.target).candidates(
        for: net.graph.order[0], in: net.graph)
      return try #require(candidates.first { $0.kernel == Self.kernel }).fit
    }
    func window(_ kernel: [Int], stride: [Int] = [1, 1], dilation: Int = 1) -> Window {
      Window(kernel: kernel, stride: stride, pad: [0, 0], dilation: [dilation, dilation])
    }
    let cases: [(Window, String)] = [
      (window([7, 7]), "its window is 7 x 7, not 3 x 3 or 5 x 5"),
      (window([3, 5]), "its window is 3 x 5, not 3 x 3 or 5 x 5"),
      (window([3, 3], stride: [1, 2]), "its stride is 1 x 2, not 1 or 2 on both axes"),
      (window([3, 3], dilation: 2), "its window is dilated"),
    ]
    for (window, reason) in cases { #expect(try answer(window) == .declines(because: reason)) }
    #expect(
      try answer(window([3, 3]), groups: 2)
        == .declines(because: "a filter reads 2 channels, not one"))
  }

  @Test(arguments: [(112, 1), (112, 2), (56, 1), (28, 2), (14, 1), (14, 2), (7, 1)])
  func `MobileNet's layers get it, but not when most weights are zero`(extent: Int, stride: Int)
    throws
  {
    func chosen(density: Double) throws -> String {
      var random = TestSupport.SeededGenerator(seed: 1)
      var net = try ConvolutionChain(extents: [1, 32, extent, extent])
      let window = Window(
        kernel: [3, 3], stride: [stride, stride], pad: [1, 1], dilation: [1, 1])
      try net.convolve(
        Convolution(filters: 32, window: window, groups: 32), &random, density: density)
      let fitting = KernelCatalog(target: Self.target).candidates(
        for: net.graph.order[0], in: net.graph
      ).filter { $0.cost != nil }
      return try #require(fitting.min { ($0.cost ?? 0) < ($1.cost ?? 0) }).kernel
    }
    #expect(try chosen(density: 1) == Self.kernel)
    // With stride 2 the copy into phases alone would take longer.
    if stride == 1 && extent > 14 { #expect(try chosen(density: 0.1) != Self.kernel) }
  }
}
