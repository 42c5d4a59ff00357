import IR
import TestSupport
import Testing
import Training

/// Whole nets: sharing, splits, in-place layers, loss weights, and which gradients are computed at all.
struct NetGradientTests {
  private static let window3 = Window(
    kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])

  /// A residual net with everything in place that may be.
  private func residual(seed: UInt64, filters: Int) throws -> NetBuilder {
    var builder = NetBuilder(seed: seed)
    try builder.input("x", [3, 3, 8, 8])
    try builder.input("label", [3], values: [0, 2, 1])
    let convolution = Operation.convolution(
      Convolution(filters: filters, window: Self.window3, hasBias: false))
    try builder.add(convolution, "conv1", ["x"], limit: 0.3)
    try builder.batchNorm("bn1", "conv1", "conv1")
    try builder.add(.scale(Scale(hasBias: true)), "scale1", ["conv1"], ["conv1"])
    try builder.add(.elementwise(Elementwise(.tanh)), "act1", ["conv1"], ["conv1"])
    try builder.add(convolution, "conv2", ["conv1"], limit: 0.3)
    try builder.add(.elementwise(Elementwise(.sigmoid)), "act2", ["conv2"], ["conv2"])
    try builder.add(.lrn(LRN(size: 3, region: .acrossChannels)), "norm2", ["conv2"])
    let sum = Operation.eltwise(Eltwise(.sum(coefficients: [1, 1])))
    try builder.add(sum, "sum", ["conv1", "norm2"])
    let pool = Window(kernel: [3, 3], stride: [2, 2], pad: [0, 0], dilation: [1, 1])
    try builder.add(.pooling(Pooling(reduction: .average, window: pool)), "pool", ["sum"])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "ip", ["pool"], limit: 0.3)
    try builder.add(
      .loss(.softmax(axis: 1, .valid, ignoredLabel: nil)), "loss", ["ip", "label"], ["loss"],
      [.scalar], lossWeights: [1.3])
    // A second objective on a blob in the middle, and one on a top that others read.
    try builder.add(
      .reduction(Reduction(operation: .sumOfSquares)), "size", ["pool"], lossWeights: [0.1])
    builder.change("ip") { $0.lossWeights = [0.2] }
    return builder
  }

  @Test(arguments: [8, 6, 16]) func `a residual net`(filters: Int) throws {
    for threads in [1, 2] {
      try GradientCheck(
        tolerance: 3e-3, forwardTolerance: 1e-4, step: 1 / 512, kink: 0.1, samples: 16,
        threads: threads,
        fixedInputs: ["label"]
      ).run(try residual(seed: UInt64(filters), filters: filters))
    }
  }

  @Test(arguments: 0..<6) func `random graphs of splits`(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    try builder.input("x", [2, 8, 5, 5])
    var blobs = ["x"]
    for index in 0..<10 {
      let name = "b\(index)"
      let bottom = builder.random.pick(blobs)
      switch builder.random.integer(0...5) {
      case 0:
        let layer = Convolution(
          filters: 8, window: Self.window3, groups: builder.random.pick([1, 2]))
        try builder.add(.convolution(layer), name, [bottom], limit: 0.3)
      case 1: try builder.add(.elementwise(Elementwise(.tanh)), name, [bottom])
      case 2:
        try builder.add(
          .eltwise(Eltwise(.sum(coefficients: [0.5, -0.7]))), name,
          [bottom, builder.random.pick(blobs)])
      case 3: try builder.add(.eltwise(Eltwise(.product)), name, [bottom, bottom])
      case 4:
        try builder.add(
          .elementwise(Elementwise(.sigmoid)), "in place \(index)", [bottom], [bottom])
        continue
      default:
        try builder.add(.scale(Scale(hasBias: true)), name, [bottom])
      }
      blobs.append(name)
    }
    // An input must keep its name to itself.
    guard !builder.layers.contains(where: { $0.bottoms == ["x"] && $0.tops == ["x"] }) else {
      return
    }
    for blob in blobs.suffix(3) { try builder.probe(blob) }
    try GradientCheck(forwardTolerance: 1e-4, step: 1 / 256, samples: 12).run(builder)
  }

  @Test func `shared parameters`() throws {
    var builder = NetBuilder(seed: 3)
    try builder.input("a", [3, 6])
    try builder.input("b", [3, 6])
    try builder.input("same", [3], values: [1, 0, 1])
    for (blob, name) in [("a", "ip1"), ("b", "ip1_p")] {
      try builder.add(
        .innerProduct(InnerProduct(outputs: 4)), name, [blob], [name], shared: ["w", "b"])
    }
    try builder.add(
      .innerProduct(InnerProduct(outputs: 6, isTransposed: true)), "other", ["ip1"], ["other"],
      shared: ["w"])
    builder.change("other") { $0.parameters[0].sharesByCount = true }
    try builder.probe("other")
    try builder.add(
      .loss(.contrastive(margin: 2, legacy: false)), "loss", ["ip1", "ip1_p", "same"], ["loss"],
      [.scalar], lossWeights: [1])
    try GradientCheck(step: 1 / 512, fixedInputs: ["same"]).run(builder)
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    #expect(net.parameters.map(\.layer) == ["ip1", "ip1", "other"])
    #expect(net.parametersByLayer.last { !$0.isEmpty }?.first === net.parameters[0])

    builder.change("ip1_p") { layer in
      layer.parameters[0].slot.shape = .vector(24)
    }
    let error = #expect(throws: Diagnostic.self) {
      try ExecutedNet(builder.net(), inputs: builder.inputs)
    }
    #expect(error?.message.contains("shares those of layer \"ip1\"") == true)
  }

  @Test func `a test net shares the arrays of the train net`() throws {
    let builder = try residual(seed: 1, filters: 8)
    let train = try ExecutedNet(builder.net(), inputs: builder.inputs)
    let test = try ExecutedNet(
      builder.net(.test), inputs: builder.inputs, sharing: train.parameters, seed: 2)
    #expect(zip(test.parameters, train.parameters).allSatisfy { $0 === $1 })
  }

  @Test func `only needed gradients are computed`() throws {
    var builder = NetBuilder(seed: 4)
    builder.forcesBackward = false
    try builder.input("x", [2, 4])
    try builder.input("label", [2], values: [0, 1])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "fixed", ["x"], rates: [0, 0])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "one", ["fixed"])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "two", ["one"], rates: [1, 0])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "aside", ["one"])
    try builder.add(.silence(Silence()), "silence", ["aside"], [])
    try builder.add(
      .loss(.softmax(axis: 1, .valid, ignoredLabel: nil)), "loss", ["two", "label"], ["loss"],
      [.scalar], lossWeights: [1])
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try net.forward()
    try net.backward()
    func isZero(_ index: Int) -> Bool { net.parameters[index].gradient.allSatisfy { $0 == 0 } }
    #expect(
      net.parameters.indices.map(isZero) == [true, true, false, false, false, true, true, true])
    #expect(net.gradient("x") == nil && net.gradient("fixed") == nil)
    #expect(net.gradient("one") != nil && net.gradient("aside") == nil)
    #expect(net.outputs.map(\.name) == ["loss"])

    // Forced: all of them that an objective reaches.
    builder.forcesBackward = true
    let forced = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try forced.forward()
    try forced.backward()
    #expect(forced.gradient("x")?.contains { $0 != 0 } == true)
    #expect(forced.parameters[0].gradient.contains { $0 != 0 })

    // Forbidden.
    builder.forcesBackward = false
    builder.change("two") { $0.propagatesDown = [false] }
    let cut = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try cut.forward()
    try cut.backward()
    #expect(cut.gradient("one") == nil && cut.parameters[2].gradient.allSatisfy { $0 == 0 })
    #expect(cut.parameters[4].gradient.contains { $0 != 0 })
  }

  @Test func `gradients add up over passes`() throws {
    let builder = try residual(seed: 2, filters: 8)
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try net.forward()
    try net.backward()
    let once = net.parameters.map { Array($0.gradient) }
    _ = try net.forward()
    try net.backward()
    for (first, parameter) in zip(once, net.parameters) {
      let scale = first.reduce(0) { max($0, abs($1)) }
      for (a, b) in zip(first, parameter.gradient) {
        #expect(abs(2 * a - b) <= 1e-5 * max(scale, 1))
      }
    }
  }

  @Test func `what has no gradient is refused`() throws {
    var builder = NetBuilder(seed: 5)
    builder.forcesBackward = false
    try builder.input("x", [2, 4])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "ip", ["x"])
    try builder.add(.argMax(ArgMax()), "best", ["ip"], lossWeights: [1])
    let error = #expect(throws: Diagnostic.self) {
      try ExecutedNet(builder.net(), inputs: builder.inputs)
    }
    #expect(error?.message.contains("cannot pass a gradient to its bottom \"ip\"") == true)

    var other = NetBuilder(seed: 5)
    try other.input("x", [2, 4])
    try other.add(.repack(Repack()), "pack", ["x"])
    let refused = #expect(throws: Diagnostic.self) {
      try ExecutedNet(other.net(), inputs: other.inputs)
    }
    #expect(refused?.message.contains("layer \"pack\"") == true)
  }

  @Test(arguments: [1, 2]) func `two runs are equal bit by bit`(threads: Int) throws {
    let builder = try residual(seed: 6, filters: 16)
    func run() throws -> [[UInt32]] {
      let net = try ExecutedNet(builder.net(), inputs: builder.inputs, seed: 9, threads: threads)
      for _ in 0..<5 {
        for parameter in net.parameters { parameter.gradient.update(repeating: 0) }
        _ = try net.forward()
        try net.backward()
        for parameter in net.parameters where parameter.settings.rateFactor != 0 {
          for i in 0..<parameter.count { parameter.values[i] -= 0.05 * parameter.gradient[i] }
        }
      }
      return net.parameters.map { $0.values.map(\.bitPattern) }
    }
    #expect(try run() == run())
  }

  @Test func `the layer where numbers end is named, and means are noted`() throws {
    var builder = NetBuilder(seed: 7)
    try builder.input("x", [2, 3])
    try builder.add(.innerProduct(InnerProduct(outputs: 2, hasBias: false)), "ip", ["x"])
    try builder.add(
      .elementwise(Elementwise(.logarithm(base: nil, scale: 1, shift: -9))), "log", ["ip"])
    try builder.probe("log")
    var described = builder.net()
    described.debugInfo = true
    let net = try ExecutedNet(described, inputs: builder.inputs)
    net.timesLayers = true
    #expect(net.firstNonFinite == nil)
    _ = try net.forward()
    #expect(net.firstNonFinite == "log")
    let x = builder.inputs["x"]!.values
    #expect(net.debugValues[0].layer == "input x" && net.debugValues[0].kind == .top("x"))
    #expect(abs(net.debugValues[0].mean - x.reduce(0) { $0 + abs($1) } / 6) < 1e-6)
    #expect(net.layerTimes.map(\.layer) == builder.layers.map(\.name))
    #expect(net.layerTimes.allSatisfy { $0.forward > 0 })
  }
}
