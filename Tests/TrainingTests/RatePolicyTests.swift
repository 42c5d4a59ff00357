import Foundation
import IR
import Testing

@testable import Training

@Suite struct RatePolicyTests {
  private func rates(_ policy: RatePolicy, _ count: Int, maximum: Int = 20) -> [Float] {
    var step = 0
    return (0..<count).map {
      policy.rate(base: 0.05, iteration: $0, step: &step, maximumIterations: maximum)
    }
  }

  static let formulas: [(policy: RatePolicy, rate: @Sendable (Double) -> Double)] = [
    (.fixed, { _ in 0.05 }),
    (.step(gamma: 0.5, size: 7), { 0.05 * pow(0.5, ($0 / 7).rounded(.down)) }),
    (.exponential(gamma: 0.9), { 0.05 * pow(0.9, $0) }),
    (.inverse(gamma: 0.1, power: 0.75), { 0.05 * pow(1 + 0.1 * $0, -0.75) }),
    (
      .multistep(gamma: 0.1, steps: [5, 12]),
      { 0.05 * pow(0.1, $0 >= 12 ? 2 : $0 >= 5 ? 1 : 0) }
    ),
    (.polynomial(power: 2), { 0.05 * pow(1 - $0 / 20, 2) }),
    (.sigmoid(gamma: -0.5, size: 10), { 0.05 / (1 + exp(0.5 * ($0 - 10))) }),
  ]

  @Test(arguments: formulas.indices)
  func `every policy follows its formula`(_ index: Int) {
    let (policy, formula) = Self.formulas[index]
    for (t, rate) in rates(policy, 20).enumerated() {
      let expected = formula(Double(t))
      #expect(abs(Double(rate) - expected) <= 1e-6 * expected, "\(policy) at \(t)")
    }
  }

  @Test func `a multistep takes one step at a time`() {
    // Steps that lie close together are taken one per iteration, as Caffe does.
    #expect(
      rates(.multistep(gamma: 0.5, steps: [2, 2, 2]), 6) == [
        0.05, 0.05, 0.025, 0.0125, 0.00625, 0.00625,
      ])
  }

  @Test func `a resumed multistep goes on from its step`() {
    var step = 1
    let policy = RatePolicy.multistep(gamma: 0.1, steps: [5, 12])
    let rate = policy.rate(base: 1, iteration: 13, step: &step, maximumIterations: 20)
    #expect(step == 2)
    #expect(abs(rate - 0.01) < 1e-8)
  }
}
