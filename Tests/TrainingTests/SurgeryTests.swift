import Foundation
import IR
import TestSupport
import Testing

@testable import Training

/// Network surgery in both forms against its rules.
@Suite struct SurgeryTests {
  private func parameters(_ surgery: Surgery, bias: Surgery?) throws -> [Parameter] {
    var random = RandomSource(seed: 4)
    return try [("weights", [30, 20], surgery), ("bias", [30], bias)].enumerated().map {
      var settings = TrainingParameter(
        slot: ParameterSlot($1.0, try Shape($1.1)), filler: .constant(0))
      settings.sparsity.surgery = $1.2
      let parameter = Parameter(layer: "l", index: $0, settings: settings)
      for i in parameter.values.indices { parameter.values[i] = Float(random.normal()) }
      return parameter
    }
  }

  private func progress(_ iteration: Int) -> TrainingProgress {
    TrainingProgress(
      iteration: iteration, maximumIterations: 100, rate: 0.1, clipsGradients: false)
  }

  private func statistics(_ values: [Float]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
    let variance =
      values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
    return (mean, variance.squareRoot())
  }

  @Test func `the original prunes and splices around a fixed threshold`() throws {
    let kind = Surgery.original(gamma: 0, power: 1, stop: 3, rate: 0.5)
    let parameters = try parameters(kind, bias: kind)
    let surgery = NetworkSurgery(parameters, random: RandomSource(seed: 1))
    let all = parameters.flatMap { Array($0.values) }
    let (mean, deviation) = statistics(all.map { abs($0) })
    let threshold = mean + 0.5 * deviation
    var masks = parameters.map { [Bool](repeating: true, count: $0.count) }
    var random = RandomSource(seed: 2)
    for iteration in 0..<5 {
      let dense = parameters.map { Array($0.values) }
      surgery.beginIteration(progress(iteration))
      surgery.beforeForward(progress(iteration))
      for (index, parameter) in parameters.enumerated() {
        for i in dense[index].indices where iteration < 3 {
          let size = Double(abs(dense[index][i]))
          if masks[index][i], size <= 0.9 * threshold { masks[index][i] = false }
          if !masks[index][i], size > 1.1 * threshold { masks[index][i] = true }
        }
        #expect(surgery.mask(of: index) == masks[index])
        for i in dense[index].indices {
          #expect(parameter.values[i] == (masks[index][i] ? dense[index][i] : 0))
        }
      }
      surgery.afterBackward(progress(iteration))
      #expect(parameters.map { Array($0.values) } == dense)
      surgery.beforeTest()
      #expect(parameters[0].values.count { $0 == 0 } == masks[0].count { !$0 })
      surgery.afterTest()
      // Everything moves, pruned or not.
      for parameter in parameters {
        for i in parameter.values.indices { parameter.values[i] += Float(random.normal()) * 0.3 }
      }
    }
    #expect(masks[0].count { !$0 } > 50)
  }

  @Test func `surgery happens as often as its probability says`() throws {
    let kind = Surgery.original(gamma: 1, power: 1, stop: 1e9, rate: 0)
    let parameters = try parameters(kind, bias: nil)
    let surgery = NetworkSurgery(parameters, random: RandomSource(seed: 1))
    var random = RandomSource(seed: 2)
    var changes = 0
    for _ in 0..<2000 {
      for i in parameters[0].values.indices { parameters[0].values[i] = Float(random.normal()) }
      let before = surgery.mask(of: 0)
      // (1 + t)^-1 = 1/4
      surgery.beginIteration(progress(3))
      surgery.beforeForward(progress(3))
      surgery.afterBackward(progress(3))
      if surgery.mask(of: 0) != before { changes += 1 }
    }
    #expect(abs(changes - 500) < 80)
  }

  @Test func `gradients of pruned weights are those of the last batch`() throws {
    let kind = Surgery.original(gamma: 0, power: 1, stop: 9, rate: 0)
    let parameters = try parameters(kind, bias: nil)
    let surgery = NetworkSurgery(parameters, random: RandomSource(seed: 1))
    surgery.beginIteration(progress(0))
    for _ in 0..<2 {
      surgery.beforeForward(progress(0))
      for i in parameters[0].gradient.indices { parameters[0].gradient[i] += 1 }
      surgery.afterBackward(progress(0))
    }
    let mask = try #require(surgery.mask(of: 0))
    for (gradient, isKept) in zip(parameters[0].gradient, mask) {
      #expect(gradient == (isKept ? 2 : 1))
    }
  }

  @Test(arguments: [false, true])
  func `the reimplementation masks a band around the mean`(_ forgets: Bool) throws {
    var fields = ForkFields()
    fields.surgeryGamma = 0
    fields.surgeryForgetsInTests = forgets
    let parameters = try parameters(.reimplemented(threshold: 0.674), bias: nil)
    for i in parameters[0].values.indices { parameters[0].values[i] += 2 }
    let surgery = ReimplementedSurgery(parameters, fields, random: RandomSource(seed: 1))
    let dense = Array(parameters[0].values)
    let (mean, deviation) = statistics(dense)
    surgery.beginIteration(progress(0))
    surgery.beforeForward(progress(0))
    for (i, value) in dense.enumerated() {
      let isInside = abs(Double(value) - mean) < 0.674 * deviation
      #expect(parameters[0].values[i] == (isInside ? 0 : value))
    }
    surgery.afterBackward(progress(0))
    #expect(Array(parameters[0].values) == dense)
    let mask = try #require(surgery.mask(of: 0))
    // 0.674 deviations of a normal distribution are half of it.
    #expect(abs(mask.count { !$0 } - 300) < 40)
    surgery.beforeTest()
    surgery.afterTest()
    #expect((Array(parameters[0].values) == dense) == !forgets)
    #expect(surgery.mask(of: 1) == nil)
  }

  @Test func `a resumed surgery keeps its threshold`() throws {
    let kind = Surgery.original(gamma: 0.1, power: 1, stop: 1e9, rate: 0.5)
    let parameters = try parameters(kind, bias: kind)
    func step(_ surgery: NetworkSurgery, _ iteration: Int) {
      surgery.beginIteration(progress(iteration))
      surgery.beforeForward(progress(iteration))
      surgery.afterBackward(progress(iteration))
    }
    let first = NetworkSurgery(parameters, random: RandomSource(seed: 1))
    for iteration in 0..<4 { step(first, iteration) }
    let second = NetworkSurgery(parameters, random: RandomSource(seed: 77))
    for i in parameters[0].values.indices { parameters[0].values[i] *= 0.9 }
    try second.restore(first.state, masks: [first.mask(of: 0), first.mask(of: 1)])
    for iteration in 4..<12 {
      step(first, iteration)
      step(second, iteration)
      #expect(first.mask(of: 0) == second.mask(of: 0))
      #expect(first.state == second.state)
    }
  }
}
