import IR
import TestSupport
import Testing
import Training

/// Layers that run as one: normalisation, scale and rectifier; sum and rectifier.
struct LayerChainTests {
  private static let window = Window(
    kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])

  private func block(seed: UInt64, filters: Int, hasShift: Bool = true) throws -> NetBuilder {
    var builder = NetBuilder(seed: seed)
    builder.forcesBackward = seed % 2 == 0
    try builder.input("x", [3, 3, 6, 6])
    let convolution = Operation.convolution(
      Convolution(filters: filters, window: Self.window, hasBias: false))
    let rectifier = Operation.elementwise(Elementwise(.relu(slope: 0)))
    for (name, bottom) in [("one", "x"), ("two", "one")] {
      try builder.add(convolution, name, [bottom], limit: 0.3)
      try builder.batchNorm("\(name) norm", name, name)
      try builder.add(.scale(Scale(hasBias: hasShift)), "\(name) scale", [name], [name])
      if name == "one" { try builder.add(rectifier, "\(name) act", [name], [name]) }
    }
    try builder.add(.eltwise(Eltwise(.sum(coefficients: [1, 1]))), "sum", ["one", "two"])
    try builder.add(rectifier, "sum act", ["sum"], ["sum"])
    try builder.add(.innerProduct(InnerProduct(outputs: 4)), "ip", ["sum"], limit: 0.3)
    try builder.probe("ip")
    return builder
  }

  /// Everything that can be asked for after one pass, but the gradients of what rectifiers make in place: a rectifier
  /// alone writes over them.
  private func results(_ builder: NetBuilder, debugInfo: Bool, threads: Int = 1) throws
    -> [[Float]]
  {
    var described = builder.net()
    described.debugInfo = debugInfo
    let net = try ExecutedNet(described, inputs: builder.inputs, threads: threads)
    let objective = try net.forward()
    try net.backward()
    #expect(net.debugValues.isEmpty != debugInfo)
    return [[objective]]
      + ["one", "two", "sum", "ip"].compactMap { net.blob($0) }
      + ["x", "two", "ip"].compactMap { net.gradient($0) }
      + net.parameters.flatMap { [Array($0.values), Array($0.gradient)] }
  }

  @Test(arguments: 0..<6) func `a chain computes what its layers do one by one`(seed: UInt64)
    throws
  {
    let builder = try block(
      seed: seed, filters: [16, 8, 6][Int(seed % 3)], hasShift: seed % 4 < 2)
    let threads = 1 + Int(seed / 3)
    let (chained, single) = (
      try results(builder, debugInfo: false, threads: threads),
      try results(builder, debugInfo: true, threads: threads)
    )
    try #require(chained.count == single.count)
    for (a, b) in zip(chained, single) {
      let scale = b.reduce(1e-3) { max($0, abs($1)) }
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 2e-5 * scale })
    }
  }

  @Test func `what is no number passes a chain`() throws {
    let builder = try block(seed: 3, filters: 8)
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    net.parameters[0].values[5] = .nan
    #expect(try net.forward().isNaN)
    #expect(net.firstNonFinite == "one")
  }

  @Test func `nets on several threads may run at once`() async throws {
    let builder = try block(seed: 4, filters: 16)
    let expected = try (1...3).map { try results(builder, debugInfo: false, threads: $0) }
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<12 {
        group.addTask {
          for _ in 0..<4 {
            let result = try? results(builder, debugInfo: false, threads: 1 + index % 3)
            #expect(result == expected[index % 3])
          }
        }
      }
    }
  }
}
