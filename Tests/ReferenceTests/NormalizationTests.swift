import Foundation
import IR
import Reference
import TestSupport
import Testing

@Suite struct NormalizationTests {
  @Test func `batch normalisation divides sums by their factor, and 0 stands for no statistics`()
    throws
  {
    let input = try tensor([1, 2, 1, 1], [7, 1])
    let sums = try [tensor([2], [6, 2]), tensor([2], [7, 0])]
    let layer = BatchNorm(epsilon: 0.5)
    let half = try evaluateOne(.batchNorm(layer), [input], sums + [tensor([1], [2])])
    #expect(half.values == [2, 0])
    let none = try evaluateOne(.batchNorm(layer), [input], sums + [tensor([1], [0])])
    let root = 0.5.squareRoot()
    #expect(none.values == [Float(7 / root), Float(1 / root)])
  }

  @Test func `batch statistics are those of all items, with the biased variance`() throws {
    let input = try tensor([2, 2, 1, 1], [1, 10, 3, 10])
    let unused = try tensor([2], [5, 5])
    let result = try evaluateOne(
      .batchNorm(BatchNorm(epsilon: 3, usesStoredStatistics: false)), [input],
      [unused, unused, tensor([1], [1])])
    // Channel 0: mean 2, variance 1.
    #expect(result.values == [-0.5, 0, 0.5, 0])
  }

  @Test func `a vector is one channel`() throws {
    let one = try tensor([1], [1])
    let result = try evaluateOne(
      .batchNorm(BatchNorm(epsilon: 3)), [tensor([3], [1, 2, 3])], [one, one, one])
    #expect(result.values == [0, 0.5, 1])
  }

  @Test func `mean-variance normalisation adds epsilon to the deviation`() throws {
    let input = try tensor([1, 2, 1, 2], [1, 3, 10, 10])
    let perChannel = try evaluateOne(.mvn(MVN(epsilon: 1)), [input])
    #expect(perChannel.values == [-0.5, 0.5, 0, 0])
    let meanOnly = try evaluateOne(.mvn(MVN(normalizesVariance: false)), [input])
    #expect(meanOnly.values == [-1, 1, 0, 0])
    let across = try evaluateOne(
      .mvn(MVN(normalizesVariance: false, acrossChannels: true)), [input])
    #expect(across.values == [-5, -3, 4, 4])
  }

  @Test func `response normalisation across channels sums over a clipped window of channels`()
    throws
  {
    let input = try tensor([1, 4, 1, 1], [1, 2, 3, 4])
    let layer = LRN(size: 3, alpha: 3, beta: 1, k: 2, region: .acrossChannels)
    let result = try evaluateOne(.lrn(layer), [input])
    let expected: [Float] = [1.0 / 7, 2.0 / 16, 3.0 / 31, 4.0 / 27]
    #expect(result.values == expected)
  }

  @Test func `response normalisation within a channel always divides by the window, and ignores k`()
    throws
  {
    let input = try tensor([1, 1, 1, 3], [1, 2, 3])
    let layer = LRN(size: 3, alpha: 9, beta: 1, k: 50, region: .withinChannel)
    let result = try evaluateOne(.lrn(layer), [input])
    let expected: [Float] = [1.0 / 6, 2.0 / 15, 3.0 / 14]
    #expect(result.values == expected)
  }

  @Test func `softmax sums to one, whatever is added to its input`() throws {
    let input = try Tensor.random([2, 5, 3], .integers(limit: 8), seed: 1)
    for axis in [0, 1, -1] {
      let result = try evaluateOne(.softmax(Softmax(axis: axis)), [input])
      let shifted = Tensor(shape: input.shape, values: input.values.map { $0 + 512 })
      #expect(try evaluateOne(.softmax(Softmax(axis: axis)), [shifted]) == result)
      let canonical = try input.shape.canonicalAxis(axis)
      #expect(abs(result.values.reduce(0, +) - Float(30 / input.shape[canonical])) < 1e-5)
    }
    let two = try evaluateOne(.softmax(Softmax()), [tensor([1, 2], [0, Foundation.log(3)])])
    #expect(abs(two.values[0] - 0.25) < 1e-7 && abs(two.values[1] - 0.75) < 1e-7)
  }
}
