import Foundation
import IR
import Reference
import TestSupport
import Testing

@Suite struct ElementwiseTests {
  /// What floats Caffe computes with: no better than this of the value, or of 1.
  static func expectClose(_ result: Float, _ expected: Double, _ comment: Comment) {
    #expect(abs(Double(result) - expected) <= 1e-6 * max(1, abs(expected)), comment)
  }

  @Test func `ReLU keeps NaN, and minus infinity becomes NaN even at slope 0`() {
    let relu = ElementwiseFunction.relu(slope: 0)
    #expect(relu.value(at: 3) == 3)
    #expect(relu.value(at: -3) == 0)
    #expect(relu.value(at: .infinity) == .infinity)
    #expect(relu.value(at: .nan).isNaN)
    #expect(relu.value(at: -.infinity).isNaN)
    #expect(ElementwiseFunction.relu(slope: 0.5).value(at: -3) == -1.5)
    #expect(ElementwiseFunction.relu(slope: 0.5).value(at: -.infinity) == -.infinity)
  }

  @Test func `a power of 0, or a scale of 0, is a constant whatever comes in`() {
    for x: Float in [0, 1, -2, .infinity, .nan] {
      #expect(ElementwiseFunction.power(power: 0, scale: 2, shift: 5).value(at: x) == 1)
      #expect(ElementwiseFunction.power(power: 2, scale: 0, shift: 3).value(at: x) == 9)
    }
    #expect(ElementwiseFunction.power(power: 0.5, scale: 1, shift: 0).value(at: -1).isNaN)
    #expect(ElementwiseFunction.power(power: 3, scale: 2, shift: 1).value(at: -2) == -27)
  }

  @Test func `a threshold is exceeded, not reached`() {
    let threshold = ElementwiseFunction.threshold(0.5)
    #expect([0.4, 0.5, 0.6].map { threshold.value(at: $0) } == [0, 0, 1])
  }

  @Test func `clipping turns NaN into the lower bound, as Caffe's comparisons do`() {
    let clip = ElementwiseFunction.clip(low: -1, high: 6)
    #expect([-2, 0.5, 7, .nan].map { clip.value(at: $0) } == [-1, 0.5, 6, -1])
  }

  @Test func `functions have the values of their formulas`() {
    for step in -40...40 {
      let x = Float(step) / 4
      let d = Double(x)
      func check(_ function: ElementwiseFunction, _ expected: Double) {
        Self.expectClose(function.value(at: x), expected, "\(function) at \(x)")
      }
      check(.elu(alpha: 0.5), d > 0 ? d : 0.5 * (Foundation.exp(d) - 1))
      check(.sigmoid, 1 / (1 + Foundation.exp(-d)))
      check(.tanh, (Foundation.exp(2 * d) - 1) / (Foundation.exp(2 * d) + 1))
      check(.absoluteValue, d < 0 ? -d : d)
      check(.softplus, Foundation.log(1 + Foundation.exp(d)))
      check(.swish(beta: 2), d / (1 + Foundation.exp(-2 * d)))
      check(.exponential(base: nil, scale: 0.5, shift: 1), Foundation.exp(0.5 * d + 1))
      check(.exponential(base: 2, scale: 1, shift: 0), Foundation.pow(2, d))
      check(.logarithm(base: nil, scale: 1, shift: 11), Foundation.log(d + 11))
      check(.logarithm(base: 10, scale: 2, shift: 21), Foundation.log10(2 * d + 21))
    }
  }

  @Test func `softplus of a large number is that number`() {
    #expect(ElementwiseFunction.softplus.value(at: 1000) == 1000)
    #expect(ElementwiseFunction.softplus.value(at: -1000) == 0)
  }

  @Test func `PReLU has a slope for each channel, or one for all`() throws {
    let input = try tensor([1, 2, 1, 2], [-1, 1, -2, 2])
    #expect(
      try evaluateOne(.preLU(PReLU()), [input], [tensor([2], [0.5, 3])]).values == [-0.5, 1, -6, 2])
    let shared = try evaluateOne(.preLU(PReLU(isShared: true)), [input], [tensor([], [0.25])])
    #expect(shared.values == [-0.25, 1, -0.5, 2])
  }

  @Test func `element-wise combinations follow Caffe's comparisons where NaN is among them`() throws
  {
    let a = try tensor([4], [1, 5, .nan, 2])
    let b = try tensor([4], [2, 3, 4, .nan])
    let c = try tensor([4], [9, 0, 0, 0])
    func combine(_ combination: Eltwise.Combination, _ inputs: [Tensor]) throws -> [Float] {
      try evaluateOne(.eltwise(Eltwise(combination)), inputs).values
    }
    let maxima = try combine(.maximum, [a, b, c])
    #expect(maxima.prefix(3) == [9, 5, 4])
    #expect(maxima[3].isNaN)
    #expect(try combine(.product, [a, b, c]).prefix(2) == [18, 0])
    #expect(try combine(.sum(coefficients: [1, -2, 0.5]), [a, b, c]).prefix(2) == [1.5, -1])
  }

  @Test func `scales and biases spread over the axes around theirs`() throws {
    let input = try tensor([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    let middle = try evaluateOne(
      .scale(Scale(hasBias: true)), [input], [tensor([2], [10, 100]), tensor([2], [1, 2])])
    #expect(middle.values == [11, 21, 302, 402, 51, 61, 702, 802])
    let second = try evaluateOne(.scale(Scale(axis: 0)), [input, tensor([2], [2, 3])])
    #expect(second.values == [2, 4, 6, 8, 15, 18, 21, 24])
    let scalar = try evaluateOne(.scale(Scale(spannedAxes: 0)), [input], [tensor([], [2])])
    #expect(scalar.values == [2, 4, 6, 8, 10, 12, 14, 16])
    let last = try evaluateOne(.bias(Bias(axis: -1)), [input], [tensor([2], [10, 20])])
    #expect(last.values == [11, 22, 13, 24, 15, 26, 17, 28])
    let all = try evaluateOne(.bias(Bias(axis: 1)), [input, tensor([2, 2], [0, 1, 2, 3])])
    #expect(all.values == [1, 3, 5, 7, 5, 7, 9, 11])
  }
}
