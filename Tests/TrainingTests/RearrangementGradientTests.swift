import IR
import TestSupport
import Testing
import Training

struct RearrangementGradientTests {
  private func check(
    _ operation: Operation, _ shapes: [[Int]], fixed: Set<String> = [], tops: Int = 1,
    seed: UInt64 = 1,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    var builder = NetBuilder(seed: seed)
    for (index, shape) in shapes.enumerated() { try builder.input("x\(index)", shape) }
    let names = (0..<tops).map { "y\($0)" }
    try builder.add(operation, "layer", shapes.indices.map { "x\($0)" }, names)
    for name in names { try builder.probe(name) }
    try GradientCheck(fixedInputs: fixed).run(builder, sourceLocation: sourceLocation)
  }

  @Test func concat() throws {
    for axis in 0..<4 {
      var shapes = [[2, 3, 4, 5], [2, 3, 4, 5], [2, 3, 4, 5]]
      shapes[1][axis] = 2
      try check(.concat(Concat(axis: axis - (axis == 3 ? 4 : 0))), shapes)
    }
  }

  @Test(arguments: [8, 12]) func `concat and slice behind convolutions`(filters: Int) throws {
    var builder = NetBuilder(seed: 2)
    try builder.input("x", [2, 8, 4, 3])
    let window = Window(kernel: [1, 1])
    try builder.add(.convolution(Convolution(filters: filters, window: window)), "a", ["x"])
    try builder.add(.convolution(Convolution(filters: 16, window: window)), "b", ["x"])
    try builder.add(.concat(Concat()), "joined", ["a", "b"])
    try builder.add(
      .slice(Slice(points: [8], parts: 2)), "slice", ["joined"], ["left", "right"])
    try builder.add(.convolution(Convolution(filters: 8, window: window)), "c", ["left"])
    try builder.probe("c")
    try builder.probe("right")
    try GradientCheck().run(builder)
  }

  @Test func slice() throws {
    try check(.slice(Slice(axis: 2, points: [1, 3], parts: 3)), [[2, 3, 6, 2]], tops: 3)
    try check(.slice(Slice(axis: -1, parts: 2)), [[2, 3, 6]], tops: 2)
    try check(.slice(Slice(axis: 0, parts: 2)), [[4, 3]], tops: 2)
  }

  @Test func `split, flatten, reshape, tile`() throws {
    try check(.split(Split(copies: 3)), [[2, 3, 4]], tops: 3)
    try check(.flatten(Flatten()), [[2, 3, 4, 2]])
    try check(.reshape(Reshape(extents: [0, -1, 2])), [[2, 3, 4, 2]])
    try check(.tile(Tile(axis: 1, tiles: 3)), [[2, 3, 4]])
    try check(.tile(Tile(axis: -1, tiles: 2)), [[2, 3]])
  }

  @Test func crop() throws {
    var builder = NetBuilder(seed: 3)
    try builder.input("x", [2, 3, 6, 7])
    try builder.input("size", [1, 1, 4, 3])
    try builder.add(.crop(Crop(axis: 2, offsets: [1, 3])), "y", ["x", "size"])
    try builder.probe("y")
    try GradientCheck(fixedInputs: ["size"]).run(builder)
    try check(.crop(Crop(axis: 1, offsets: [1])), [[2, 3, 6], [2, 2, 4]], fixed: ["x1"])
  }

  @Test func reductions() throws {
    for operation in [
      Reduction.Operation.sum, .mean, .sumOfAbsolutes, .sumOfSquares,
    ] {
      for axis in [0, 1, -1] {
        try check(
          .reduction(Reduction(operation: operation, axis: axis, coefficient: 1.5)), [[2, 3, 4]])
      }
    }
  }

  @Test func `inner products`() throws {
    for layer in [
      InnerProduct(outputs: 5), InnerProduct(outputs: 5, isTransposed: true),
      InnerProduct(outputs: 3, axis: 2, hasBias: false), InnerProduct(outputs: 4, axis: 0),
      InnerProduct(outputs: 7, axis: -1, isTransposed: true),
    ] {
      try check(.innerProduct(layer), [[3, 2, 4]])
    }
  }

  @Test func embed() throws {
    for hasBias in [true, false] {
      var builder = NetBuilder(seed: 4)
      try builder.input("x", [2, 4], values: [0, 3, 1, 3, 4, 0, 0, 2])
      try builder.add(.embed(Embed(outputs: 3, rows: 5, hasBias: hasBias)), "y", ["x"])
      try builder.probe("y")
      try GradientCheck(fixedInputs: ["x"]).run(builder)
    }
    var builder = NetBuilder(seed: 4)
    try builder.input("x", [2], values: [0, 5])
    try builder.add(.embed(Embed(outputs: 3, rows: 5)), "words", ["x"])
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    let error = #expect(throws: Diagnostic.self) { try net.forward() }
    #expect(error?.message.contains("index 5.0 at position 1 is not one of 5 rows") == true)
  }

  @Test func `rows by index`() throws {
    var builder = NetBuilder(seed: 5)
    try builder.input("x", [3, 2, 2])
    try builder.input("indices", [4], values: [2, 0, 2, 2])
    try builder.add(.batchReindex(BatchReindex()), "y", ["x", "indices"])
    try builder.probe("y")
    try GradientCheck(fixedInputs: ["indices"]).run(builder)
  }

  @Test func `a parameter as a blob`() throws {
    var builder = NetBuilder(seed: 6)
    try builder.add(.parameter(ParameterBlob(shape: try Shape([3, 4]))), "p", [])
    try builder.probe("p")
    try GradientCheck().run(builder)
  }

  @Test func `argmax runs forward only`() throws {
    for layer in [
      ArgMax(top: 2, writesValues: true), ArgMax(axis: 1), ArgMax(axis: 2, writesValues: true),
    ] {
      var builder = NetBuilder(seed: 7)
      builder.forcesBackward = false
      try builder.input("x", [2, 5, 3])
      try builder.add(.argMax(layer), "best", ["x"])
      let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
      let (_, blobs) = try NetOracle(builder.net(), inputs: builder.inputs, net).evaluate()
      _ = try net.forward()
      #expect(net.blob("best") == blobs["best"]?.values)
    }
  }
}
