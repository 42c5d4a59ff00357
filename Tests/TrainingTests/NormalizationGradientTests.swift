import IR
import TestSupport
import Testing
import Training

struct NormalizationGradientTests {
  @Test(arguments: 0..<12) func lrn(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    try builder.input("x", [2, [8, 5, 16][Int(seed % 3)], 6, 5], .real(limit: 2))
    var blob = "x"
    if seed % 4 < 2 {
      let filters = [8, 5, 16][Int(seed % 3)]
      let layer = Convolution(filters: filters, window: Window(kernel: [1, 1]))
      try builder.add(.convolution(layer), "conv", ["x"])
      blob = "conv"
    }
    let layer = LRN(
      size: seed % 2 == 0 ? 5 : 3, alpha: 0.5, beta: 0.75, k: seed % 3 == 0 ? 2 : 1,
      region: seed % 2 == 0 ? .acrossChannels : .withinChannel)
    try builder.add(.lrn(layer), "norm", [blob])
    try builder.probe("norm")
    try GradientCheck(threads: 1 + Int(seed % 2)).run(builder)
  }

  @Test(arguments: [[3, 4, 5, 6], [4, 8, 3, 3], [6, 5], [4, 3, 7], [7], [2, 3, 2, 3, 2]])
  func `batch normalisation by the batch`(extents: [Int]) throws {
    var builder = NetBuilder(seed: 1)
    try builder.input("x", extents)
    try builder.batchNorm("norm", "x", "norm")
    try builder.probe("norm")
    try GradientCheck().run(builder)
  }

  @Test func `batch normalisation by moving averages`() throws {
    var builder = NetBuilder(seed: 2)
    try builder.input("x", [3, 8, 4, 4])
    try builder.batchNorm("norm", "x", "norm", usesStored: true)
    builder.change("norm") { layer in
      for index in 1...2 { layer.parameters[index].filler = .uniform(low: 0.5, high: 2) }
    }
    try builder.probe("norm")
    try GradientCheck().run(builder)
  }

  @Test func `moving averages`() throws {
    var builder = NetBuilder(seed: 3)
    try builder.input("x", [4, 2, 3, 1])
    try builder.batchNorm("norm", "x", "norm", fraction: 0.5)
    builder.change("norm") { layer in
      for index in 0...2 { layer.parameters[index].filler = .constant(1) }
    }
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try net.forward()
    _ = try net.forward()
    #expect(Array(net.parameters[2].values) == [1.75])
    let x = builder.inputs["x"]!.values
    for channel in 0..<2 {
      let values = (0..<4).flatMap { image in (0..<3).map { x[(image * 2 + channel) * 3 + $0] } }
      let mean = values.reduce(0, +) / 12
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 11
      #expect(abs(net.parameters[0].values[channel] - (0.25 + 1.5 * mean)) < 1e-5)
      #expect(abs(net.parameters[1].values[channel] - (0.25 + 1.5 * variance)) < 1e-5)
    }
  }

  @Test(arguments: 0..<8) func mvn(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    try builder.input("x", seed < 4 ? [2, 3, 4, 3] : [3, 7])
    let layer = MVN(normalizesVariance: seed % 2 == 0, acrossChannels: seed % 4 < 2 || seed > 3)
    try builder.add(.mvn(layer), "norm", ["x"])
    try builder.probe("norm")
    try GradientCheck().run(builder)
  }

  @Test(arguments: 0..<10) func `scale and bias`(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    try builder.input("x", [3, 8, 4, 2])
    try builder.input("scale", seed % 2 == 0 ? [8] : [8, 4])
    switch seed {
    case 0: try builder.add(.scale(Scale(hasBias: true)), "y", ["x"])
    case 1: try builder.add(.scale(Scale(axis: 0, spannedAxes: 2)), "y", ["x"])
    case 2: try builder.add(.scale(Scale(axis: 2, spannedAxes: -1, hasBias: true)), "y", ["x"])
    case 3: try builder.add(.scale(Scale(axis: 0, spannedAxes: 0)), "y", ["x"])
    case 4, 5: try builder.add(.scale(Scale(hasBias: seed == 4)), "y", ["x", "scale"])
    case 6: try builder.add(.bias(Bias()), "y", ["x"])
    case 7: try builder.add(.bias(Bias(axis: 1, spannedAxes: 2)), "y", ["x"])
    default: try builder.add(.bias(Bias()), "y", ["x", "scale"])
    }
    try builder.probe("y")
    if seed < 4 || seed == 6 || seed == 7 { try builder.probe("scale") }
    try GradientCheck().run(builder)
  }

  @Test func softmax() throws {
    for axis in 0..<3 {
      var builder = NetBuilder(seed: 4)
      try builder.input("x", [3, 4, 5])
      try builder.add(.softmax(Softmax(axis: axis)), "y", ["x"])
      try builder.probe("y")
      try GradientCheck().run(builder)
    }
  }
}
