import IR
import TestSupport
import Testing
import Training

/// Layers with windows: random shapes, strides, paddings, dilations and groups.
struct SlidingWindowGradientTests {
  private func window(_ random: inout SeededGenerator, axes: Int = 2) -> Window {
    func list(_ range: ClosedRange<Int>) -> [Int] { (0..<axes).map { _ in random.integer(range) } }
    return Window(kernel: list(1...3), stride: list(1...2), pad: list(0...1), dilation: list(1...2))
  }

  @Test(arguments: 0..<24) func convolution(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    let groups = builder.random.pick([1, 1, 2])
    // Blocks of channels fit only every other time.
    let unit = seed % 2 == 0 ? 8 : builder.random.pick([1, 3])
    let channels = groups * unit * builder.random.integer(1...2)
    let filters = groups * unit * builder.random.integer(1...2)
    try builder.input("x", [builder.random.integer(1...3), channels, 7, 6])
    let layer = Convolution(
      filters: filters, window: window(&builder.random), groups: groups,
      hasBias: builder.random.chance(0.7))
    try builder.add(.convolution(layer), "conv", ["x"])
    try builder.probe("conv")
    try GradientCheck(threads: 1 + Int(seed % 2)).run(builder)
  }

  @Test(arguments: 0..<16) func `a convolution in the Winograd domain`(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    let groups = builder.random.pick([1, 1, 2])
    let kernel = seed % 2 == 0 ? 3 : 5
    // More tiles than a vector holds, whole ones and cut ones.
    let extents = [builder.random.integer(5...12), builder.random.integer(5...12)]
    try builder.input(
      "x", [builder.random.integer(1...3), groups * builder.random.integer(1...3)] + extents)
    let window = Window(
      kernel: [kernel, kernel], stride: [1, 1],
      pad: [builder.random.integer(0...2), builder.random.integer(0...2)], dilation: [1, 1])
    let layer = Convolution(
      filters: groups * builder.random.integer(1...3), window: window, groups: groups,
      hasBias: builder.random.chance(0.7), isInWinogradDomain: true)
    try builder.add(.convolution(layer), "conv", ["x"])
    try builder.probe("conv")
    try GradientCheck(threads: 1 + Int(seed / 2 % 2)).run(builder)
  }

  @Test(arguments: 0..<4) func `a convolution behind a convolution`(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    try builder.input("x", [2, [1, 3, 5, 16][Int(seed)], 8, 8])
    let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    let (first, second) = ([20, 16, 8, 12][Int(seed)], [10, 24, 8, 16][Int(seed)])
    try builder.add(.convolution(Convolution(filters: first, window: window)), "one", ["x"])
    try builder.add(.convolution(Convolution(filters: second, window: window)), "two", ["one"])
    try builder.probe("two")
    try GradientCheck().run(builder)
  }

  @Test(arguments: 0..<4) func `a convolution over other numbers of axes`(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    let shapes = [[2, 3, 9], [2, 4, 5, 4, 5], [2, 3, 2, 6, 5], [3, 5]]
    let axis = [1, 1, 2, 1][Int(seed)]
    let axes = shapes[Int(seed)].count - axis - 1
    try builder.input("x", shapes[Int(seed)])
    let layer = Convolution(
      filters: 4, window: window(&builder.random, axes: axes), axis: axis)
    try builder.add(.convolution(layer), "conv", ["x"])
    try builder.probe("conv")
    try GradientCheck().run(builder)
  }

  @Test func `bottoms that share weights`() throws {
    var builder = NetBuilder(seed: 5)
    try builder.input("x", [2, 3, 6, 6])
    try builder.input("y", [2, 3, 6, 6])
    let layer = Convolution(filters: 5, window: Window(kernel: [3, 2]))
    try builder.add(.convolution(layer), "conv", ["x", "y"], ["a", "b"], perBottom: true)
    try builder.probe("a")
    try builder.probe("b", weight: 2)
    try GradientCheck().run(builder)
  }

  @Test(arguments: 0..<12) func deconvolution(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    let groups = builder.random.pick([1, 2])
    try builder.input("x", [2, groups * builder.random.integer(1...3), 4, 5])
    var window = window(&builder.random)
    window.pad = [0, min(1, window.span(1) - 1)]
    let layer = Deconvolution(
      filters: groups * builder.random.integer(1...3), window: window, groups: groups,
      hasBias: seed % 3 != 0)
    try builder.add(.deconvolution(layer), "deconv", ["x"])
    try builder.probe("deconv")
    try GradientCheck(threads: 2).run(builder)
  }

  @Test(arguments: 0..<24) func pooling(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    let (height, width) = (builder.random.integer(5...9), builder.random.integer(5...9))
    try builder.input("x", [2, seed % 2 == 0 ? 8 : 3, height, width])
    var blob = "x"
    if seed % 4 == 0 {
      // In blocks of channels, as a convolution leaves them.
      let layer = Convolution(filters: 8, window: Window(kernel: [1, 1]))
      try builder.add(.convolution(layer), "conv", ["x"])
      blob = "conv"
    }
    let kernel = [builder.random.integer(2...3), builder.random.integer(2...3)]
    let window = Window(
      kernel: kernel, stride: kernel.map { builder.random.integer(1...$0) },
      pad: [builder.random.integer(0...1), builder.random.integer(0...1)], dilation: [1, 1])
    let layer = Pooling(
      reduction: seed % 3 == 0 ? .max : .average, window: window, isGlobal: seed == 7 || seed == 9)
    try builder.add(.pooling(layer), "pool", [blob])
    try builder.probe("pool")
    try GradientCheck(step: 1 / 1024).run(builder)
  }

  @Test(arguments: [1, 8]) func `windows that cover nothing`(channels: Int) throws {
    var builder = NetBuilder(seed: 2)
    try builder.input("x", [1, 3, 6, 6])
    try builder.add(
      .convolution(Convolution(filters: channels, window: Window(kernel: [1, 1]))), "conv", ["x"])
    let window = Window(kernel: [2, 2], stride: [5, 5], pad: [0, 0], dilation: [1, 1])
    try builder.add(.pooling(Pooling(reduction: .max, window: window)), "pool", ["conv"])
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    let (_, blobs) = try NetOracle(builder.net(), inputs: builder.inputs, net).evaluate()
    _ = try net.forward()
    try net.backward()
    for (value, expected) in zip(net.blob("pool")!, blobs["pool"]!.values) {
      #expect(abs(value - expected) <= 1e-5 * abs(expected))
    }
  }

  @Test func `pooling with positions, from zero, and by sums of squares`() throws {
    let window = Window(kernel: [3, 3], stride: [2, 2], pad: [0, 0], dilation: [1, 1])
    for layer in [
      Pooling(reduction: .max, window: window, startsAtZero: true),
      Pooling(reduction: .max, window: window, writesPositions: true),
      Pooling(reduction: .stochastic, window: window),
    ] {
      var builder = NetBuilder(seed: 1)
      let values = (0..<128).map { Float(($0 * 37) % 128) / 64 + (layer.startsAtZero ? -1 : 0.1) }
      try builder.input("x", [1, 2, 8, 8], values: values)
      try builder.add(
        .pooling(layer), "pool", ["x"], layer.writesPositions ? ["pool", "where"] : ["pool"])
      try builder.probe("pool")
      try GradientCheck(step: 1 / 1024).run(builder)
    }
  }

  @Test func im2col() throws {
    var builder = NetBuilder(seed: 3)
    try builder.input("x", [2, 3, 6, 5])
    let window = Window(kernel: [3, 2], stride: [2, 1], pad: [1, 1], dilation: [1, 2])
    try builder.add(.im2col(Im2col(window: window)), "columns", ["x"])
    try builder.probe("columns")
    try GradientCheck().run(builder)
  }
}
