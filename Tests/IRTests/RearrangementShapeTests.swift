import IR
import Testing

/// Shape rules of layers that move values without changing them.
struct RearrangementShapeTests {
  @Test func `flatten merges a run of axes`() throws {
    #expect(try Flatten().extents(for: [2, 3, 4, 5]) == [[2, 60]])
    #expect(try Flatten(axis: 1, endAxis: 2).extents(for: [2, 3, 4, 5]) == [[2, 12, 5]])
    #expect(try Flatten(axis: -2, endAxis: -1).extents(for: [2, 3, 4, 5]) == [[2, 3, 20]])
    #expect(try Flatten(axis: 0).extents(for: [7]) == [[7]])
    #expect(
      Flatten(axis: 2, endAxis: 1).refusal(of: [2, 3, 4]) == "end axis 1 before axis 2")
    #expect(Flatten().refusal(of: [2]) == "axis 1 of shape [2], which has 1 axes")
  }

  @Test func `reshape copies at 0 and infers at -1`() throws {
    #expect(try Reshape(extents: [0, -1]).extents(for: [2, 3, 4]) == [[2, 12]])
    #expect(try Reshape(extents: [0, 0, 2, -1]).extents(for: [2, 3, 8]) == [[2, 3, 2, 4]])
    #expect(try Reshape(extents: [-1]).extents(for: [2, 3, 4]) == [[24]])
    #expect(try Reshape(extents: [6, 4]).extents(for: [2, 3, 4]) == [[6, 4]])
    #expect(try Reshape(extents: []).extents(for: [1, 1]) == [[]])
    // The extents of a run count from where it begins.
    #expect(
      try Reshape(extents: [2, 2], axis: 1, replacedAxes: 1).extents(for: [3, 4, 5])
        == [[3, 2, 2, 5]])
    #expect(
      try Reshape(extents: [0, 1], axis: 1, replacedAxes: 1).extents(for: [3, 4, 5])
        == [[3, 4, 1, 5]])
    #expect(try Reshape(extents: [1], axis: -1).extents(for: [3, 4]) == [[3, 4, 1]])
    #expect(
      try Reshape(extents: [1, 1], axis: 0, replacedAxes: 0).extents(for: [3]) == [[1, 1, 3]])
  }

  @Test func `reshape says what does not fit`() {
    #expect(
      Reshape(extents: [5]).refusal(of: [2, 3]) == "[2,3] has 6 elements, [5] has 5")
    #expect(Reshape(extents: [-1, -1]).refusal(of: [6]) == "two extents of -1")
    #expect(Reshape(extents: [4, -1]).refusal(of: [6]) == "6 elements do not divide by 4")
    #expect(
      Reshape(extents: [0, 0]).refusal(of: [6])
        == "extent 1 copies an axis that [6] does not have")
    #expect(Reshape(extents: [6], axis: 3).refusal(of: [6, 1]) == "axis 3 of shape [6,1]")
    #expect(
      Reshape(extents: [6], axis: 1, replacedAxes: 2).refusal(of: [6, 1])
        == "2 axes from axis 1 of shape [6,1]")
    #expect(
      Reshape(extents: [6], replacedAxes: -2).refusal(of: [6])
        == "-2 axes from axis 0 of shape [6]")
    #expect(Reshape(extents: [-3, -2]).refusal(of: [6]) == "shape [-3,-2] has an extent of -3")
  }

  @Test func `crop takes the second input's extents from an axis on`() throws {
    #expect(try Crop().extents(for: [2, 3, 9, 8], [1, 1, 4, 5]) == [[2, 3, 4, 5]])
    #expect(
      try Crop(axis: 1, offsets: [1, 2, 3]).extents(for: [2, 3, 9, 8], [7, 2, 4, 5])
        == [[2, 2, 4, 5]])
    #expect(try Crop(axis: -1, offsets: [3]).extents(for: [4, 8], [4, 5]) == [[4, 5]])
    let origin = try Crop(axis: 2, offsets: [4]).origin(
      for: [try Shape([1, 1, 9, 9]), try Shape([1, 1, 5, 5])])
    #expect(origin == [0, 0, 4, 4])
  }

  @Test func `crop says what does not fit`() {
    #expect(
      Crop(offsets: [5]).refusal(of: [1, 1, 9, 9], [1, 1, 4, 5])
        == "offset 5 and extent 5 exceed 9 on axis 3")
    #expect(
      Crop(offsets: [-1]).refusal(of: [1, 1, 9, 9], [1, 1, 4, 5])
        == "offset -1 and extent 4 exceed 9 on axis 2")
    #expect(Crop(offsets: [Int.max]).refusal(of: [1, 1, 9, 9], [1, 1, 4, 5]) != nil)
    #expect(
      Crop(offsets: [1, 2, 3]).refusal(of: [1, 1, 9, 9], [1, 1, 4, 5])
        == "3 offsets for 2 cut axes")
    #expect(
      Crop().refusal(of: [1, 1, 9, 9], [4, 5])
        == "inputs [1,1,9,9] and [4,5] have different numbers of axes")
  }

  @Test func `concat adds extents along its axis`() throws {
    #expect(try Concat().extents(for: [2, 3, 4], [2, 1, 4], [2, 5, 4]) == [[2, 9, 4]])
    #expect(try Concat(axis: -1).extents(for: [2, 3], [2, 1]) == [[2, 4]])
    #expect(try Concat().extents(for: [2, 3]) == [[2, 3]])
    #expect(
      Concat().refusal(of: [2, 3], [1, 3]) == "inputs [2,3] and [1,3] differ outside axis 1")
    #expect(
      Concat().refusal(of: [2, 3], [2, 3, 1]) == "inputs [2,3] and [2,3,1] differ outside axis 1")
    #expect(Concat().refusal(of: [1, 1 << 30], [1, 1 << 30])?.contains("more than") == true)
  }

  @Test func `slice cuts at its points, or into equal parts`() throws {
    #expect(try Slice(parts: 3).extents(for: [2, 6]) == [[2, 2], [2, 2], [2, 2]])
    #expect(
      try Slice(axis: -2, points: [1, 4], parts: 3).extents(for: [6, 2]) == [
        [1, 2], [3, 2], [2, 2],
      ])
    #expect(
      Slice(parts: 4).refusal(of: [2, 6]) == "an extent of 6 does not divide into 4 equal parts")
    #expect(Slice(points: [1], parts: 3).refusal(of: [2, 6]) == "1 slice points for 3 parts")
    for points in [[4, 4], [4, 2], [0, 2], [2, 6], [-1, 2]] {
      #expect(
        Slice(points: points, parts: 3).refusal(of: [2, 6])
          == "slice points \(points) do not rise within an extent of 6")
    }
    #expect(Slice(parts: 0).refusal(of: [2, 6]) == "a slice into 0 parts")
  }

  @Test func `split, silence, tile and identity`() throws {
    #expect(try Split(copies: 2).extents(for: [2, 3]) == [[2, 3], [2, 3]])
    #expect(Split(copies: 0).refusal(of: [2]) == "a split into 0 copies")
    #expect(try Silence().extents(for: [2], [3]) == [])
    #expect(try Tile(tiles: 3).extents(for: [2, 3, 4]) == [[2, 9, 4]])
    #expect(try Tile(axis: -1, tiles: 2).extents(for: [2, 3, 4]) == [[2, 3, 8]])
    #expect(Tile(tiles: 0).refusal(of: [2, 3]) == "0 tiles")
    #expect(Tile(tiles: Int.max).refusal(of: [2, 3]) == "\(Int.max) tiles of 3")
    #expect(try Identity(of: "Dropout").extents(for: [2, 3]) == [[2, 3]])
    #expect(try Repack().extents(for: [2, 3]) == [[2, 3]])
  }

  @Test func `gathered rows are as many as the indices`() throws {
    #expect(try BatchReindex().extents(for: [2, 3, 4], [5]) == [[5, 3, 4]])
    #expect(
      BatchReindex().refusal(of: [2, 3], [5, 1])
        == "needs rows and a list of indices, not [2,3] and [5,1]")
    #expect(BatchReindex().refusal(of: [], [5]) != nil)
    #expect(try ParameterBlob(shape: try Shape([2, 3])).extents() == [[2, 3]])
    #expect(try ParameterBlob(shape: try Shape([2, 3])).slots() == ["value [2,3]"])
  }
}
