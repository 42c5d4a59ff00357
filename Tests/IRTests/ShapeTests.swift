import IR
import TestSupport
import Testing

struct ShapeTests {
  @Test func `a shape has at most 32 axes`() throws {
    let most = [Int](repeating: 1, count: 32)
    #expect(try Shape(most).axes == 32)
    #expect(throws: ShapeError("a shape of 33 axes; at most 32 are possible")) {
      try Shape(most + [1])
    }
  }

  @Test func `a shape has at most 2^31 - 1 elements`() throws {
    #expect(try Shape([Int(Int32.max)]).count == 2_147_483_647)
    #expect(throws: ShapeError("shape [65536,32768] has more than 2147483647 elements")) {
      try Shape([65536, 32768])
    }
    #expect(throws: ShapeError.self) { try Shape([Int.max, Int.max]) }
    #expect(throws: ShapeError.self) { try Shape([Int.max, 2, Int.min]) }
  }

  @Test(arguments: [0, -1, Int.min])
  func `an extent is at least one`(extent: Int) {
    #expect(throws: ShapeError("shape [2,\(extent)] has an extent of \(extent)")) {
      try Shape([2, extent])
    }
  }

  @Test func `a shape without axes has one element`() throws {
    #expect(try Shape([]) == .scalar)
    #expect(Shape.scalar.count == 1)
    #expect(Shape.scalar.description == "[]")
    #expect(Shape.vector(7).extents == [7])
  }

  @Test func `a negative axis counts from the end`() throws {
    let shape = try Shape([2, 3, 5])
    for axis in 0..<3 {
      #expect(try shape.canonicalAxis(axis) == axis)
      #expect(try shape.canonicalAxis(axis - 3) == axis)
    }
    for axis in [3, -4, Int.min] {
      #expect(throws: ShapeError("axis \(axis) of shape [2,3,5], which has 3 axes")) {
        try shape.canonicalAxis(axis)
      }
    }
    #expect(throws: ShapeError.self) { try Shape.scalar.canonicalAxis(0) }
  }

  @Test func `counts over runs of axes multiply to the count of all`() throws {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<100 {
      let shape = try Shape((0..<random.integer(0...6)).map { _ in random.integer(1...5) })
      #expect(shape.count == shape.extents.reduce(1, *))
      for axis in 0...shape.axes {
        #expect(shape.count(upTo: axis) * shape.count(from: axis) == shape.count)
        #expect(shape.count(axis..<axis) == 1)
      }
    }
  }

  @Test func `replacing an extent changes nothing else, and keeps the limits`() throws {
    let shape = try Shape([2, 3, 5])
    #expect(try shape.replacing(axis: 1, with: 7).extents == [2, 7, 5])
    #expect(throws: ShapeError.self) { try shape.replacing(axis: 0, with: 0) }
    #expect(throws: ShapeError.self) { try shape.replacing(axis: 0, with: Int.max) }
  }
}
