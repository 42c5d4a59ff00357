import IR
import TestSupport
import Testing
import Training

struct ElementwiseGradientTests {
  static let functions: [ElementwiseFunction] = [
    .relu(slope: 0), .relu(slope: 0.1), .relu(slope: -0.5), .elu(alpha: 0.7), .sigmoid, .tanh,
    .absoluteValue, .softplus, .power(power: 1, scale: 2, shift: 1),
    .power(power: 3, scale: 0.5, shift: 0.2), .power(power: 2, scale: 0, shift: 3),
    .power(power: -1, scale: 1, shift: 3), .exponential(base: nil, scale: 1, shift: 0),
    .exponential(base: 2, scale: -0.5, shift: 1), .logarithm(base: nil, scale: 1, shift: 3),
    .logarithm(base: 10, scale: 0.5, shift: 2), .clip(low: -0.5, high: 0.4), .swish(beta: 1.5),
  ]

  @Test(arguments: functions) func function(function: ElementwiseFunction) throws {
    for top in ["y", "a"] {
      var builder = NetBuilder(seed: 1)
      try builder.input("x", [3, 8, 5, 4], .real(limit: 1.5))
      let layer = Convolution(filters: 8, window: Window(kernel: [1, 1]))
      // In place behind a convolution, and apart behind a copy.
      if top == "a" {
        try builder.add(.convolution(layer), "conv", ["x"], ["a"], limit: 0.3)
      } else {
        try builder.add(.identity(Identity(of: "Copy")), "copy", ["x"], ["a"])
      }
      try builder.add(.elementwise(Elementwise(function)), "function", ["a"], [top])
      try builder.probe(top)
      try GradientCheck(step: 1 / 2048, kink: 0.002).run(builder)
    }
  }

  @Test func `functions in place one behind the other`() throws {
    // Each needs what the next would write over.
    var builder = NetBuilder(seed: 2)
    try builder.input("x", [4, 6])
    try builder.add(.innerProduct(InnerProduct(outputs: 5)), "ip", ["x"], ["a"])
    for (index, function) in [
      ElementwiseFunction.sigmoid, .power(power: 2, scale: 1, shift: 0.5), .relu(slope: 0.1), .tanh,
    ].enumerated() {
      try builder.add(.elementwise(Elementwise(function)), "f\(index)", ["a"], ["a"])
    }
    try builder.add(.softmax(Softmax()), "softmax", ["a"], ["a"])
    try builder.probe("a")
    try GradientCheck().run(builder)
  }

  @Test func prelu() throws {
    for isShared in [false, true] {
      var builder = NetBuilder(seed: 3)
      try builder.input("x", [3, 4, 3, 2])
      try builder.add(.preLU(PReLU(isShared: isShared)), "y", ["x"])
      try builder.probe("y")
      try GradientCheck(step: 1 / 2048, kink: 0.002).run(builder)
    }
  }

  @Test(arguments: 0..<6) func eltwise(seed: UInt64) throws {
    var builder = NetBuilder(seed: seed)
    let combination: Eltwise.Combination =
      seed % 3 == 0 ? .product : seed % 3 == 1 ? .maximum : .sum(coefficients: [1, -0.5, 2])
    for name in ["a", "b", "c"] { try builder.input(name, [2, 8, 3, 3]) }
    if seed > 2 {
      let layer = Convolution(filters: 8, window: Window(kernel: [1, 1]))
      try builder.add(.convolution(layer), "conv", ["a"])
    }
    try builder.add(.eltwise(Eltwise(combination)), "y", [seed > 2 ? "conv" : "a", "b", "c"])
    try builder.probe("y")
    try GradientCheck(step: 1 / 2048, kink: 0.002).run(builder)
  }

  @Test func dropout() throws {
    var builder = NetBuilder(seed: 4)
    let values = (0..<2000).map { Float($0 % 7 + 1) }
    try builder.input("x", [20, 100], values: values)
    let shape = try Shape([20, 100])
    try builder.add(.dropout(ratio: 0.3), "drop", ["x"], ["y"], [shape])
    try builder.probe("y", weight: 1)
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try net.forward()
    try net.backward()
    let (y, dx) = (try #require(net.blob("y")), try #require(net.gradient("x")))
    let probe = builder.inputs["y probe"]!.values
    var kept = 0
    for i in 0..<2000 {
      let factor = y[i] / values[i]
      #expect(factor == 0 || abs(factor - 1 / 0.7) < 1e-5)
      #expect(abs(dx[i] - factor * probe[i]) < 1e-5)
      if factor != 0 { kept += 1 }
    }
    // Within five deviations.
    #expect(abs(kept - 1400) < 103)
    // Another pass draws others; restoring the state draws the same again.
    let state = net.state
    _ = try net.forward()
    let second = net.blob("y")
    #expect(second != y)
    try net.restore(state)
    _ = try net.forward()
    #expect(net.blob("y") == second)
    // In tests nothing happens.
    let test = try ExecutedNet(builder.net(.test), inputs: builder.inputs)
    _ = try test.forward()
    #expect(test.blob("y") == values)
  }

  @Test func `stochastic pooling`() throws {
    var builder = NetBuilder(seed: 5)
    let values = (0..<256).map { Float(($0 * 29) % 64 + 1) }
    try builder.input("x", [1, 4, 8, 8], values: values)
    let window = Window(kernel: [2, 2], stride: [2, 2], pad: [0, 0], dilation: [1, 1])
    let layer = Pooling(reduction: .stochastic, window: window)
    try builder.add(
      .stochasticPooling(layer), "pool", ["x"], ["y"], [try Shape([1, 4, 4, 4])])
    try builder.probe("y", weight: 1)
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    var sum: Float = 0
    for _ in 0..<400 {
      _ = try net.forward()
      sum += net.blob("y")![0]
    }
    let first = [values[0], values[1], values[8], values[9]]
    let expected = first.reduce(0) { $0 + $1 * $1 } / first.reduce(0, +)
    #expect(abs(sum / 400 - expected) < 0.1 * expected)
    try net.backward()
    let (y, dx) = (net.blob("y")!, try #require(net.gradient("x")))
    let probe = builder.inputs["y probe"]!.values
    #expect(dx.count { $0 != 0 } == 64)
    for (place, value) in dx.enumerated() where value != 0 {
      let output = place / 64 * 16 + place % 64 / 16 * 4 + place % 8 / 2
      #expect(values[place] == y[output] && value == probe[output])
    }
    try GradientCheck(step: 1 / 8).run(
      {
        var other = builder
        other.phase = .test
        return other
      }())
  }
}
