import Foundation
import IR
import Synchronization
import Testing

@testable import Datasets

struct OtherSourcesTests {
  @Test func `dummy data are what their fillers make, the same when a run goes on`() throws {
    let shapes = [try Shape([2, 3]), try Shape([4])]
    let gaussian = Filler.gaussian(mean: 0, deviation: 1, sparse: nil)
    let source = try open(.dummy(shapes: shapes, fillers: [gaussian, .constant(3)]))
    let first = try source.batch()
    #expect(first[1] == [3, 3, 3, 3])
    let position = source.position
    let second = try source.batch()
    #expect(second[0] != first[0])
    try source.move(to: position)
    #expect(try source.batch() == second)
    #expect(
      try open(.dummy(shapes: shapes, fillers: [])).batch().flatMap { $0 }.allSatisfy { $0 == 0 })
    #expect(try open(.dummy(shapes: shapes, fillers: [.constant(2)])).batch()[1] == [2, 2, 2, 2])
    #expect(
      message {
        _ = try open(
          .dummy(shapes: [shapes[0], shapes[1], shapes[1]], fillers: [gaussian, gaussian]))
      }
      .contains("2 fillers for 3 tops"))
    #expect(
      message { _ = try open(.dummy(shapes: shapes, fillers: [.bilinear])) }.contains("square"))
  }

  @Test func `what a program hands over comes in turn`() throws {
    let source = HandedOver(shapes: [try Shape([1, 2]), try Shape([1])], layer: "input")
    #expect(message { _ = try source.batch() }.contains("has handed over no data yet"))
    try source.hand(over: [[[1, 2], [0]], [[3, 4], [1]]])
    #expect(try source.batch() == [[1, 2], [0]])
    let position = source.position
    #expect(try source.batch() == [[3, 4], [1]])
    #expect(try source.batch() == [[1, 2], [0]])
    try source.move(to: position)
    #expect(try source.batch() == [[3, 4], [1]])
    #expect(message { try source.hand(over: [[[1], [0]]]) }.contains("[1, 1] values"))
    #expect(message { try source.hand(over: []) }.contains("no batch"))
    let shape = try Shape([1])
    for refused in [
      DataSource.input(shapes: [shape]), .memory(data: shape, label: shape, transform: .init()),
    ] {
      #expect(message { _ = try open(refused) }.contains("takes its data from a program"))
    }
  }

  /// Counts up, one number a batch, and fails at one of them.
  private final class Counting: BatchSource {
    let shapes = [Shape.vector(1)]
    let made = Mutex(0)
    var number = 0
    let last: Int

    init(last: Int) { self.last = last }

    func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
      if number > last { throw .error("no more than \(last)", file: "counting") }
      tops[0][0] = Float(number)
      number += 1
      made.withLock { $0 += 1 }
    }

    var position: [UInt8] { [UInt8(number)] }
    func move(to position: [UInt8]) throws(Diagnostic) { number = Int(position[0]) }
  }

  @Test func `batches are made ahead, and no further than there is room`() throws {
    let counting = Counting(last: 100)
    let source = Prefetching(counting, batches: 3)
    #expect(counting.made.withLock { $0 } == 0)
    #expect(try source.batch() == [[0]])
    let deadline = Date(timeIntervalSinceNow: 10)
    while counting.made.withLock({ $0 }) < 4, Date() < deadline { usleep(1000) }
    usleep(20_000)
    // One was handed out, three lie ready.
    #expect(counting.made.withLock { $0 } == 4)
    #expect(source.position == [1])
  }

  @Test func `an error comes behind the batches before it, and again`() throws {
    let source = Prefetching(Counting(last: 2), batches: 8)
    for number in 0...2 { #expect(try source.batch() == [[Float(number)]]) }
    for _ in 0..<2 { #expect(message { _ = try source.batch() } == "counting: no more than 2") }
    try source.move(to: [1])
    #expect(try source.batch() == [[1]])
    #expect(source.position == [2])
  }

  @Test func `sources may go away at any time`() throws {
    for count in 0..<200 {
      let source = Prefetching(Counting(last: 250), batches: 2)
      for _ in 0..<count % 4 { _ = try source.batch() }
    }
  }
}
