import IR
import TestSupport
import Testing

/// The instrument of the proof: does it notice what it must?
struct ExactEvaluationTests {
  /// One layer on an input of 1 x 2 x 3 x 3.
  private func evaluate(
    _ operation: Operation, _ parameters: [Tensor] = [], input: (Int) -> Float
  ) throws -> ExactEvaluation {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 2, 3, 3]))
    let node = try graph.append(
      operation, name: "layer", inputs: [data], parameters: parameters, outputNames: ["layer"])
    graph.setOutputs(graph[node].outputs)
    let tensor = Tensor(shape: graph[data].shape, values: (0..<18).map(input))
    return try ExactEvaluation(graph, inputs: [data: tensor])
  }

  private func convolution(_ weight: Float) throws -> (Operation, [Tensor]) {
    let layer = Convolution(filters: 1, window: Window(kernel: [3, 3]), hasBias: false)
    return (.convolution(layer), [Tensor(shape: try Shape([1, 2, 3, 3]), repeating: weight)])
  }

  @Test func `sums of integers and of binary fractions are exact`() throws {
    for weight in [1, -3, 0.375] as [Float] {
      let (layer, weights) = try convolution(weight)
      #expect(try evaluate(layer, weights) { Float($0) / 4 }.isExact)
    }
  }

  @Test func `a sum that does not fit a float is noticed`() throws {
    let (layer, weights) = try convolution(1)
    let evaluation = try evaluate(layer, weights) { $0 == 0 ? 16_777_216 : $0 == 1 ? 1 : 0 }
    #expect(evaluation.roundings == ["layer"])
  }

  @Test func `a sum that does not fit a double is noticed`() throws {
    // The rounded sum is zero, as the exact one is.
    let (layer, weights) = try convolution(1)
    let evaluation = try evaluate(layer, weights) {
      $0 == 0 ? 0x1p60 : $0 == 1 ? 1 : $0 == 2 ? -0x1p60 : $0 == 3 ? -1 : 0
    }
    #expect(evaluation.roundings == ["layer"])
  }

  @Test(arguments: [(2, true), (3, false)])
  func `a mean is exact if it divides by a power of two`(kernel: Int, isExact: Bool) throws {
    let layer = Pooling(
      reduction: .average, window: Window(kernel: [kernel, kernel]), rounding: .down)
    #expect(try evaluate(.pooling(layer)) { Float($0 % 5) }.isExact == isExact)
  }

  static let functions: [(ElementwiseFunction, Bool)] = [
    (.relu(slope: 0.5), true), (.relu(slope: 0.1), false), (.tanh, false), (.sigmoid, false),
    (.power(power: 1, scale: -1, shift: 2), true), (.power(power: 2, scale: 0.5, shift: 1), true),
    (.power(power: 0, scale: 1, shift: 3), true), (.power(power: 1, scale: 0, shift: 3), true),
    (.power(power: 1, scale: 0.1, shift: 0), false),
    (.power(power: 0.5, scale: 1, shift: 2), false),
  ]

  @Test(arguments: functions)
  func `functions are exact or not`(function: ElementwiseFunction, isExact: Bool) throws {
    #expect(try evaluate(.elementwise(Elementwise(function))) { Float($0 - 9) }.isExact == isExact)
  }

  @Test(arguments: [LRN.Region.acrossChannels, .withinChannel])
  func `a response normalisation is exact if it is a polynomial`(region: LRN.Region) throws {
    let divisor: Float = region == .acrossChannels ? 3 : 9
    for (beta, alpha, isExact) in [(-1, divisor, true), (0.75, divisor, false), (-1, 0.1, false)]
      as [(Float, Float, Bool)]
    {
      let layer = LRN(size: 3, alpha: alpha, beta: beta, k: 2, region: region)
      #expect(try evaluate(.lrn(layer)) { Float($0 % 4) }.isExact == isExact)
    }
  }

  @Test func `a normalisation is exact if it divides by a power of two`() throws {
    for (variance, isExact) in [(0.75, true), (3.75, true), (0, true), (1, false)]
      as [(Float, Bool)]
    {
      let statistics = [1, variance].map { Tensor(shape: .vector(2), repeating: $0) }
      let evaluation = try evaluate(
        .batchNorm(BatchNorm(epsilon: 0.25)),
        statistics + [Tensor(shape: .vector(1), repeating: 1)]
      ) { Float($0) }
      #expect(evaluation.isExact == isExact, "\(variance)")
    }
  }
}
