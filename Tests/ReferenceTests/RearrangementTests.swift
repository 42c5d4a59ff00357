import IR
import Reference
import TestSupport
import Testing

@Suite struct RearrangementTests {
  @Test func `slices joined again are the whole`() throws {
    let input = try Tensor.random([2, 5, 3], seed: 1)
    for (axis, points) in [(1, [1, 4]), (0, [1]), (-1, [2]), (1, [])] {
      let parts = points.isEmpty ? 5 : points.count + 1
      let slices = try evaluate(
        .slice(Slice(axis: axis, points: points, parts: parts)), [input])
      #expect(slices.count == parts)
      #expect(try evaluateOne(.concat(Concat(axis: axis)), slices) == input)
    }
    let halves = try evaluate(
      .slice(Slice(axis: 1, points: [1], parts: 2)), [tensor([2, 2], [1, 2, 3, 4])])
    #expect(halves.map(\.values) == [[1, 3], [2, 4]])
  }

  @Test func `a tile is a concatenation with itself`() throws {
    let input = try Tensor.random([2, 3, 2], seed: 1)
    for axis in 0..<3 {
      let tiled = try evaluateOne(.tile(Tile(axis: axis, tiles: 3)), [input])
      let joined = try evaluateOne(.concat(Concat(axis: axis)), [input, input, input])
      #expect(tiled == joined)
    }
  }

  @Test func `a crop is a slice on every axis behind the first`() throws {
    let input = try tensor([1, 3, 4], (0..<12).map { Float($0) })
    let size = try tensor([1, 2, 2], [0, 0, 0, 0])
    let crop = try evaluateOne(.crop(Crop(axis: 1, offsets: [1, 2])), [input, size])
    #expect(crop.values == [6, 7, 10, 11])
    let same = try evaluateOne(.crop(Crop(axis: 1, offsets: [1])), [input, size])
    #expect(same.values == [5, 6, 9, 10])
  }

  @Test func `copies, reshapes and silence`() throws {
    let input = try Tensor.random([2, 6], seed: 1)
    #expect(try evaluate(.split(Split(copies: 2)), [input]) == [input, input])
    #expect(try evaluate(.silence(Silence()), [input]) == [])
    let reshaped = try evaluateOne(.reshape(Reshape(extents: [0, 2, -1])), [input])
    #expect(reshaped == input.reshaped(to: try Shape([2, 2, 3])))
    #expect(try evaluateOne(.flatten(Flatten()), [reshaped]) == input)
    #expect(try evaluateOne(.identity(Identity(of: "Dropout")), [input]) == input)
    #expect(try evaluateOne(.repack(Repack()), [input]) == input)
    #expect(
      try evaluateOne(.parameter(ParameterBlob(shape: input.shape)), [], [input]) == input)
  }

  @Test func `reductions drop axes`() throws {
    let input = try tensor([2, 2], [1, -2, 3, 4])
    func reduce(_ operation: Reduction.Operation, _ axis: Int) throws -> [Float] {
      try evaluateOne(
        .reduction(Reduction(operation: operation, axis: axis, coefficient: 2)), [input]
      ).values
    }
    #expect(try reduce(.sum, 0) == [12])
    #expect(try reduce(.sum, 1) == [-2, 14])
    #expect(try reduce(.sumOfAbsolutes, -1) == [6, 14])
    #expect(try reduce(.sumOfSquares, 1) == [10, 50])
    #expect(try reduce(.mean, 1) == [-1, 7])
  }

  @Test func `of equal scores the highest index wins`() throws {
    let input = try tensor([1, 4], [5, 1, 5, 5])
    func best(_ layer: ArgMax) throws -> [Float] {
      try evaluateOne(.argMax(layer), [input]).values
    }
    #expect(try best(ArgMax()) == [3])
    #expect(try best(ArgMax(top: 4)) == [3, 2, 0, 1])
    #expect(try best(ArgMax(top: 2, writesValues: true)) == [3, 2, 5, 5])
    #expect(try best(ArgMax(axis: 1, top: 4, writesValues: true)) == [5, 5, 5, 1])
    let columns = try tensor([2, 3], [1, 5, 2, 4, 3, 2])
    #expect(try evaluateOne(.argMax(ArgMax(axis: 0)), [columns]).values == [1, 0, 1])
  }

  @Test func `looks rows up, and refuses indices that are none`() throws {
    let table = try tensor([2, 2], [1, 2, 3, 4])
    let bias = try tensor([2], [10, 20])
    let embed = Embed(outputs: 2, rows: 2)
    let found = try evaluateOne(.embed(embed), [tensor([3], [1, 0, 0.9])], [table, bias])
    #expect(found.values == [13, 24, 11, 22, 11, 22])
    for bad: Float in [2, -1, .nan, .infinity] {
      #expect {
        try evaluateOne(.embed(embed), [tensor([2], [0, bad])], [table, bias])
      } throws: { error in
        "\(error)" == "layer the layer: index \(bad) at position 1 is not one of 2 rows"
      }
      #expect(throws: EvaluationError.self) {
        try evaluateOne(.batchReindex(BatchReindex()), [table, tensor([1], [bad])])
      }
    }
    let gathered = try evaluateOne(
      .batchReindex(BatchReindex()), [table, tensor([3], [1, 1, 0])])
    #expect(gathered.values == [3, 4, 3, 4, 1, 2])
  }
}
