import IR
import Reference
import TestSupport
import Testing

/// Convolutions whose weights live in the Winograd domain.
struct WinogradTests {
  /// With the transforms of kernels for weights they are the convolutions by those kernels.
  @Test(arguments: 0..<16) func `transformed kernels give the convolution`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let kernel = random.pick([3, 5])
    let groups = random.pick([1, 2])
    let input = try Tensor.random(
      Shape([
        random.integer(1...2), groups * random.integer(1...3), random.integer(5...14),
        random.integer(5...14),
      ]), .real(limit: 1), &random)
    var layer = Convolution(
      filters: groups * random.integer(1...3),
      window: Window(
        kernel: [kernel, kernel], stride: [1, 1],
        pad: [random.integer(0...3), random.integer(0...3)], dilation: [1, 1]),
      groups: groups, activation: random.pick([nil, .relu(slope: 0)]))
    let parameters = try layer.parameters(for: [input.shape]).map {
      Tensor.random($0.shape, .real(limit: 1), &random)
    }
    let expected = try evaluateOne(.convolution(layer), [input], parameters)
    layer.isInWinogradDomain = true
    let transforms = try #require(WinogradDomain.transformed(parameters[0]))
    let result = try evaluateOne(.convolution(layer), [input], [transforms, parameters[1]])
    #expect(result.shape == expected.shape)
    for (a, b) in zip(result.values, expected.values) { #expect(abs(a - b) < 2e-5) }
    let back = try #require(WinogradDomain.nearestKernels(transforms, kernel: kernel))
    for (a, b) in zip(back.values, parameters[0].values) { #expect(abs(a - b) < 1e-5) }
  }

  @Test func `other windows have no such weights`() throws {
    let input = try Shape([1, 4, 8, 8])
    func shapes(_ window: Window, input: Shape) throws -> [Shape] {
      try Convolution(filters: 2, window: window, isInWinogradDomain: true)
        .outputShapes(for: [input])
    }
    #expect(try shapes(Window(kernel: [3, 3]), input: input) == [Shape([1, 2, 6, 6])])
    for window in [
      Window(kernel: [3, 5]), Window(kernel: [7, 7]),
      Window(kernel: [3, 3], stride: [2, 1], pad: [0, 0], dilation: [1, 1]),
      Window(kernel: [3, 3], stride: [1, 1], pad: [0, 0], dilation: [1, 2]),
    ] {
      #expect(throws: ShapeError.self) { _ = try shapes(window, input: input) }
    }
    #expect(throws: ShapeError.self) {
      _ = try shapes(Window(kernel: [3]), input: try Shape([1, 4, 8]))
    }
  }
}
