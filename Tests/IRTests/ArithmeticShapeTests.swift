import IR
import Testing

/// Shape rules and learned arrays of layers that compute without a window.
struct ArithmeticShapeTests {
  @Test func `an inner product flattens from its axis on`() throws {
    let layer = InnerProduct(outputs: 10)
    #expect(try layer.extents(for: [2, 3, 4, 5]) == [[2, 10]])
    #expect(try layer.slots(for: [2, 3, 4, 5]) == ["weights [10,60]", "bias [10]"])
    let other = InnerProduct(outputs: 7, axis: -1, hasBias: false, isTransposed: true)
    #expect(try other.extents(for: [2, 3, 4]) == [[2, 3, 7]])
    #expect(try other.slots(for: [2, 3, 4]) == ["weights [4,7]"])
    #expect(try InnerProduct(outputs: 1, axis: 0).extents(for: [2, 3]) == [[1]])
    #expect(InnerProduct(outputs: 0).refusal(of: [1, 2]) == "0 outputs")
    #expect(layer.refusal(of: [2]) == "axis 1 of shape [2], which has 1 axes")
    #expect(throws: ShapeError.self) {
      try InnerProduct(outputs: 1 << 20).slots(for: [1, 1 << 20])
    }
  }

  @Test func `an embedding appends an axis`() throws {
    let layer = Embed(outputs: 4, rows: 9)
    #expect(try layer.extents(for: [2, 3]) == [[2, 3, 4]])
    #expect(try layer.slots(for: [2, 3]) == ["weights [9,4]", "bias [4]"])
    #expect(
      Embed(outputs: 0, rows: 9).refusal(of: [1]) == "an embedding of 9 rows and 0 outputs")
  }

  @Test func `element by element the shape stays`() throws {
    #expect(try Elementwise(.tanh).extents(for: [2, 3]) == [[2, 3]])
    #expect(
      Elementwise(.clip(low: 2, high: 1)).refusal(of: [1]) == "a clip range from 2.0 to 1.0")
    #expect(Elementwise(.clip(low: .nan, high: 1)).refusal(of: [1]) != nil)
    #expect(try PReLU().slots(for: [2, 3, 4]) == ["slope [3]"])
    #expect(try PReLU(isShared: true).slots(for: [2, 3, 4]) == ["slope []"])
    #expect(PReLU().refusal(of: [2]) == "PReLU needs a channel axis 1, the input is [2]")
  }

  @Test func `eltwise wants equal shapes`() throws {
    let sum = Eltwise(.sum(coefficients: [1, -1]))
    #expect(try sum.extents(for: [2, 3], [2, 3]) == [[2, 3]])
    #expect(
      sum.refusal(of: [2, 3], [2, 1]) == "inputs of different shapes, [2,3] and [2,1]")
    #expect(sum.refusal(of: [2], [2], [2]) == "2 coefficients for 3 inputs")
    #expect(Eltwise(.maximum).refusal(of: [2], [2], [2]) == nil)
    #expect(sum.inputCounts.lowerBound == 2)
  }

  @Test func `a scale covers axes from its axis on`() throws {
    #expect(try Scale(hasBias: true).slots(for: [2, 3, 4]) == ["scale [3]", "bias [3]"])
    #expect(try Scale(axis: 1, spannedAxes: -1).slots(for: [2, 3, 4]) == ["scale [3,4]"])
    #expect(try Scale(axis: -2, spannedAxes: 2).slots(for: [2, 3, 4]) == ["scale [3,4]"])
    #expect(try Scale(spannedAxes: 0).slots(for: [2, 3, 4]) == ["scale []"])
    #expect(try Scale(axis: 0, hasBias: true).slots(for: [2, 3, 4], [2, 3]) == ["bias [2,3]"])
    #expect(
      Scale(spannedAxes: 3).refusal(of: [2, 3, 4]) == "3 axes from axis 1 of shape [2,3,4]")
    #expect(
      Scale().refusal(of: [2, 3, 4], [2])
        == "the second input [2] does not match the first, [2,3,4], from axis 1")
    #expect(try Bias().slots(for: [2, 3, 4]) == ["bias [3]"])
    #expect(try Bias(axis: 0).slots(for: [2, 3, 4], [2, 3]) == [])
    #expect(try Bias(axis: 0).extents(for: [2, 3, 4], [2, 3]) == [[2, 3, 4]])
  }

  @Test func `a broadcast array meets outer, middle and inner elements`() throws {
    let shape = try Shape([2, 3, 4, 5])
    let middle = try Scale(axis: 1, spannedAxes: 2).extents(for: [shape])
    #expect(middle.outer == 2 && middle.middle == 12 && middle.inner == 5)
    let scalar = try Bias(spannedAxes: 0).extents(for: [shape])
    #expect(scalar.middle == 1 && scalar.outer * scalar.inner == 120)
    let second = try Bias(axis: -1).extents(for: [shape, .vector(5)])
    #expect(second.outer == 24 && second.middle == 5 && second.inner == 1)
  }

  @Test func `normalisations keep the shape`() throws {
    #expect(try LRN(region: .acrossChannels).extents(for: [1, 2, 3, 4]) == [[1, 2, 3, 4]])
    #expect(
      LRN(size: 4, region: .acrossChannels).refusal(of: [1, 2, 3, 4])
        == "a local size of 4, not odd")
    #expect(LRN(size: -1, region: .acrossChannels).refusal(of: [1, 2, 3, 4]) != nil)
    #expect(
      LRN(region: .withinChannel).refusal(of: [1, 2]) == "LRN needs 4 axes, the input [1,2] has 2")
    #expect(
      try BatchNorm().slots(for: [2, 3, 4])
        == ["mean sum [3]", "variance sum [3]", "factor [1]"])
    #expect(try BatchNorm().slots(for: [5])[0] == "mean sum [1]")
    #expect(MVN().refusal(of: [1, 1, 1, 1, 1]) != nil)
    #expect(MVN().refusal(of: []) == "MVN needs 1 to 4 axes, the input [] has 0")
    #expect(Softmax(axis: 2).refusal(of: [1, 2]) == "axis 2 of shape [1,2], which has 2 axes")
  }

  @Test func `a reduction drops the axes from its axis on`() throws {
    #expect(try Reduction().extents(for: [2, 3, 4]) == [[]])
    #expect(try Reduction(axis: 2).extents(for: [2, 3, 4]) == [[2, 3]])
    #expect(try Reduction(axis: -3).extents(for: [2, 3, 4]) == [[]])
    #expect(try Reduction().extents(for: []) == [[]])
    #expect(Reduction(axis: 3).refusal(of: [2]) == "axis 3 of shape [2], which has 1 axes")
  }

  @Test func `the largest elements replace an axis, or an item`() throws {
    #expect(try ArgMax().extents(for: [2, 3, 4, 5]) == [[2, 1, 1, 1]])
    #expect(try ArgMax(top: 5, writesValues: true).extents(for: [2, 9]) == [[2, 2, 5]])
    #expect(try ArgMax(axis: -2, top: 2).extents(for: [2, 3, 4]) == [[2, 2, 4]])
    #expect(ArgMax(axis: 1, top: 4).refusal(of: [2, 3, 4]) == "the top 4 of 3")
    #expect(ArgMax(top: 13).refusal(of: [2, 3, 4]) == "the top 13 of 12")
    #expect(ArgMax(top: 0).refusal(of: [2, 3]) == "the top 0")
    #expect(ArgMax().refusal(of: []) == "no axis 0")
  }

  @Test func `multiply-adds of a dense evaluation, which never overflow`() throws {
    let convolution = Convolution(filters: 4, window: .square(3), groups: 2)
    let input = try Shape([1, 6, 9, 9])
    let output = try convolution.outputShapes(for: [input])
    #expect(convolution.multiplyAdds(inputs: [input], outputs: output) == 4 * 49 * 3 * 9)
    let product = InnerProduct(outputs: 5)
    #expect(
      product.multiplyAdds(inputs: [input], outputs: try product.outputShapes(for: [input]))
        == 5 * 486)
    let huge = try Shape([1, Int(Int32.max), 1, 1])
    let wide = Deconvolution(filters: 1 << 20, window: .square(1 << 20))
    #expect(wide.multiplyAdds(inputs: [huge], outputs: []) == Int.max)
  }
}
