import IR
import Reference
import TestSupport
import Testing

/// Integers keep all sums exact, so that two correct ways of computing agree to the bit.
@Suite struct ConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var axis = 1
    var filters: Int
    var groups = 1
    var window: Window
    var testDescription: String { "\(input) axis \(axis) groups \(groups) \(window)" }
  }

  static let cases: [Case] = [
    Case(input: [2, 3, 7, 6], filters: 4, window: Window(kernel: [3, 2])),
    Case(
      input: [1, 4, 8, 9], filters: 6, groups: 2,
      window: Window(kernel: [3, 3], stride: [2, 1], pad: [1, 2], dilation: [1, 2])),
    Case(
      input: [1, 5, 6, 7], filters: 5, groups: 5,
      window: Window(kernel: [5, 5], stride: [1, 3], pad: [2, 4], dilation: [1, 1])),
    Case(input: [2, 3, 4, 5], filters: 2, window: Window(kernel: [1, 1])),
    Case(
      input: [1, 2, 3, 3], filters: 2,
      window: Window(kernel: [1, 1], stride: [1, 1], pad: [2, 1], dilation: [1, 1])),
    Case(
      input: [1, 2, 2, 2], filters: 1,
      window: Window(kernel: [5, 5], stride: [4, 4], pad: [6, 7], dilation: [2, 2])),
    Case(input: [2, 3, 9], filters: 3, window: Window(kernel: [3])),
    Case(
      input: [1, 2, 4, 5, 6], filters: 3,
      window: Window(kernel: [2, 3, 2], stride: [1, 2, 1], pad: [1, 0, 1], dilation: [1, 1, 2])),
    Case(input: [2, 3, 2, 5, 5], axis: 2, filters: 4, window: Window(kernel: [3, 3])),
    Case(input: [2, 3, 4, 5], axis: -1, filters: 4, window: Window(kernel: [])),
  ]

  static func weights(_ c: Case) throws -> (weights: Tensor, bias: Tensor) {
    let shape = try Shape(c.input)
    let channels = shape[try shape.canonicalAxis(c.axis)]
    return (
      try .random(
        [c.filters, channels / c.groups] + c.window.kernel, .integers(limit: 3), seed: 1),
      try .random([c.filters], .integers(limit: 9), seed: 2)
    )
  }

  static func convolution(_ c: Case) -> Operation {
    .convolution(
      Convolution(filters: c.filters, window: c.window, groups: c.groups, axis: c.axis))
  }

  @Test(arguments: cases) func `adds a second input before the activation`(c: Case) throws {
    let input = try Tensor.random(c.input, .integers(limit: 5), seed: 3)
    let (weights, bias) = try Self.weights(c)
    let alone = try evaluateOne(Self.convolution(c), [input], [weights, bias])
    let addend = try Tensor.random(alone.shape.extents, .integers(limit: 50), seed: 4)
    let layer = Convolution(
      filters: c.filters, window: c.window, groups: c.groups, axis: c.axis,
      activation: .relu(slope: 0.5), addsToInput: true)
    let result = try evaluateOne(.convolution(layer), [input, addend], [weights, bias])
    let sums = zip(alone.values, addend.values).map { $0 + $1 }
    #expect(result.values == sums.map { $0 < 0 ? $0 / 2 : $0 })
  }

  @Test(arguments: cases) func `follows its definition`(c: Case) throws {
    let input = try Tensor.random(c.input, .integers(limit: 5), seed: 3)
    let (weights, bias) = try Self.weights(c)
    let result = try evaluateOne(Self.convolution(c), [input], [weights, bias])
    let axis = try input.shape.canonicalAxis(c.axis)
    let channels = weights.shape[1]
    let taps = indices(of: try Shape(c.window.kernel))
    for place in indices(of: result.shape) {
      let filter = place[axis]
      let group = filter / (c.filters / c.groups)
      var sum = bias.values[filter]
      for channel in 0..<channels {
        for tap in taps {
          let spatial = tap.indices.map {
            place[axis + 1 + $0] * c.window.stride[$0] + tap[$0] * c.window.dilation[$0]
              - c.window.pad[$0]
          }
          sum +=
            weights.padded([filter, channel] + tap)
            * input.padded(place[..<axis] + [group * channels + channel] + spatial)
        }
      }
      #expect(result.padded(place) == sum, "at \(place)")
    }
  }

  @Test(arguments: cases.filter { $0.groups == 1 && $0.window.axes > 0 })
  func `is im2col and a matrix product`(c: Case) throws {
    let input = try Tensor.random(c.input, .integers(limit: 5), seed: 3)
    let (weights, bias) = try Self.weights(c)
    let result = try evaluateOne(Self.convolution(c), [input], [weights, bias])
    let columns = try evaluateOne(.im2col(Im2col(window: c.window, axis: c.axis)), [input])
    let pointwise = Convolution(
      filters: c.filters, window: Window(kernel: c.window.kernel.map { _ in 1 }), axis: c.axis)
    let matrix = weights.reshaped(
      to: try Shape([c.filters, weights.count / c.filters] + c.window.kernel.map { _ in 1 }))
    #expect(try evaluateOne(.convolution(pointwise), [columns], [matrix, bias]) == result)
  }

  @Test(arguments: cases.filter { $0.groups > 1 })
  func `in groups is a slice, convolutions of the parts, and a concatenation`(c: Case) throws {
    let input = try Tensor.random(c.input, .integers(limit: 5), seed: 3)
    let (weights, bias) = try Self.weights(c)
    func parts(_ tensor: Tensor, axis: Int) throws -> [Tensor] {
      try evaluate(.slice(Slice(axis: axis, parts: c.groups)), [tensor])
    }
    let weightParts = try parts(weights, axis: 0)
    let biasParts = try parts(bias, axis: 0)
    let results = try parts(input, axis: 1).enumerated().map { group, part in
      let layer = Convolution(filters: c.filters / c.groups, window: c.window)
      return try evaluateOne(.convolution(layer), [part], [weightParts[group], biasParts[group]])
    }
    let joined = try evaluateOne(.concat(Concat()), results)
    #expect(try evaluateOne(Self.convolution(c), [input], [weights, bias]) == joined)
  }

  @Test func `with dilation is one with a spread kernel`() throws {
    let input = try Tensor.random([1, 2, 9, 8], .integers(limit: 5), seed: 3)
    let kernel = try Tensor.random([3, 2, 3, 2], .integers(limit: 3), seed: 4)
    var window = Window(kernel: [3, 2])
    window.dilation = [2, 3]
    window.pad = [1, 2]
    var spread = window
    spread.kernel = [window.span(0), window.span(1)]
    spread.dilation = [1, 1]
    let shape = try Shape([3, 2] + spread.kernel)
    let spreadKernel = Tensor(
      shape: shape,
      values: indices(of: shape).map { place in
        guard place[2] % 2 == 0, place[3] % 3 == 0 else { return 0 }
        return kernel.padded([place[0], place[1], place[2] / 2, place[3] / 3])
      })
    let dilated = Convolution(filters: 3, window: window, hasBias: false)
    let plain = Convolution(filters: 3, window: spread, hasBias: false)
    #expect(
      try evaluateOne(.convolution(dilated), [input], [kernel])
        == evaluateOne(.convolution(plain), [input], [spreadKernel]))
  }

  @Test(arguments: cases.filter { $0.window.axes > 0 })
  func `has deconvolution as its adjoint`(c: Case) throws {
    // <convolution of x, y> = <x, deconvolution of y>, where both make sense of the extents.
    let shape = try Shape(c.input)
    let axis = try shape.canonicalAxis(c.axis)
    let (weights, _) = try Self.weights(c)
    let convolution = Convolution(
      filters: c.filters, window: c.window, groups: c.groups, axis: c.axis, hasBias: false)
    let deconvolution = Deconvolution(
      filters: shape[axis], window: c.window, groups: c.groups, axis: c.axis, hasBias: false)
    let positions = try convolution.outputShapes(for: [shape])[0]
    let y = try Tensor.random(positions.extents, .integers(limit: 4), seed: 6)
    guard let image = try? deconvolution.outputShapes(for: [positions])[0], image == shape else {
      return
    }
    let x = try Tensor.random(c.input, .integers(limit: 4), seed: 5)
    let forward = try evaluateOne(.convolution(convolution), [x], [weights])
    let backward = try evaluateOne(.deconvolution(deconvolution), [y], [weights])
    func product(_ a: Tensor, _ b: Tensor) -> Float { zip(a.values, b.values).map(*).reduce(0, +) }
    #expect(product(forward, y) == product(x, backward))
    #expect(product(forward, y) != 0)
  }

  @Test func `applies a fused activation to the rounded result`() throws {
    let input = try Tensor.random([1, 3, 5, 5], seed: 7)
    let weights = try Tensor.random([4, 3, 3, 3], seed: 8)
    let bias = try Tensor.random([4], seed: 9)
    let function = ElementwiseFunction.elu(alpha: 0.3)
    var layer = Convolution(filters: 4, window: Window(kernel: [3, 3]))
    let separate = try evaluateOne(
      .elementwise(Elementwise(function)),
      [try evaluateOne(.convolution(layer), [input], [weights, bias])])
    layer.activation = function
    #expect(try evaluateOne(.convolution(layer), [input], [weights, bias]) == separate)
  }

  @Test func `lets infinities meet zero weights`() throws {
    let input = try tensor([1, 2, 1, 1], [.infinity, 1])
    let layer = Convolution(filters: 1, window: Window(kernel: [1, 1]), hasBias: false)
    let result = try evaluateOne(
      .convolution(layer), [input], [try tensor([1, 2, 1, 1], [0, 1])])
    #expect(result.values[0].isNaN)
  }

  @Test func `leaves only the bias beyond the border`() throws {
    let window = Window(kernel: [1, 1], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    let result = try evaluateOne(
      .convolution(Convolution(filters: 1, window: window)), [image([[5]])],
      [try tensor([1, 1, 1, 1], [2]), try tensor([1], [0.5])])
    #expect(result.values == [0.5, 0.5, 0.5, 0.5, 10.5, 0.5, 0.5, 0.5, 0.5])
  }

  @Test func `inner products read transposed weights as the matrix they are`() throws {
    let input = try Tensor.random([2, 3, 4], .integers(limit: 5), seed: 1)
    let weights = try Tensor.random([5, 12], .integers(limit: 5), seed: 2)
    let bias = try Tensor.random([5], .integers(limit: 5), seed: 3)
    let transposed = Tensor(
      shape: try Shape([12, 5]),
      values: (0..<60).map { weights.values[$0 % 5 * 12 + $0 / 5] })
    let plain = try evaluateOne(
      .innerProduct(InnerProduct(outputs: 5)), [input], [weights, bias])
    #expect(try plain.shape == Shape([2, 5]))
    #expect(
      try evaluateOne(
        .innerProduct(InnerProduct(outputs: 5, isTransposed: true)), [input], [transposed, bias])
        == plain)
    // The same as a convolution whose kernel is the whole image.
    let whole = Convolution(filters: 5, window: Window(kernel: [4]))
    let convolved = try evaluateOne(
      .convolution(whole), [input], [weights.reshaped(to: try Shape([5, 3, 4])), bias])
    #expect(convolved.values == plain.values)
  }
}
