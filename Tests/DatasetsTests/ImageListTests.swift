import Foundation
import IR
import Testing

@testable import Datasets

struct ImageListTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    for number in 0..<6 {
      try scratch.png(
        [UInt8](repeating: UInt8(10 * number), count: 4), width: 2, height: 2, "p \(number).png")
    }
  }

  private func settings(_ lines: String, batch: Int = 2) throws -> DataSource.ImageList {
    try scratch.write(lines, "list.txt")
    var settings = DataSource.ImageList(path: scratch.path("list.txt"), batch: batch)
    settings.root = scratch.folder + "/"
    settings.isColor = false
    return settings
  }

  private let six = (0..<6).map { "p \($0).png \($0)\n" }.joined()

  @Test func `pictures come in the order of the list, with names that have spaces`() throws {
    let source = try open(.images(settings("p 3.png 7\r\n\np 1.png -1")))
    #expect(source.shapes.map(\.extents) == [[2, 1, 2, 2], [2]])
    #expect(try source.batch() == [[30, 30, 30, 30, 10, 10, 10, 10], [7, -1]])
  }

  @Test func `colour and size are as wished`() throws {
    var settings = try settings("p 3.png 0", batch: 1)
    settings.isColor = true
    (settings.height, settings.width) = (1, 3)
    let source = try open(.images(settings))
    #expect(source.shapes[0].extents == [1, 3, 1, 3])
    #expect(try source.batch()[0] == [Float](repeating: 30, count: 9))
  }

  @Test func `every round is shuffled by itself, and is whole`() throws {
    var settings = try settings(six, batch: 6)
    settings.shuffles = true
    let source = try open(.images(settings))
    let rounds = try (0..<8).map { _ in try source.batch()[1] }
    for round in rounds { #expect(round.sorted() == [0, 1, 2, 3, 4, 5]) }
    #expect(Set(rounds).count > 5)
    let again = try open(.images(settings))
    #expect(try (0..<8).map { _ in try again.batch()[1] } == rounds)
  }

  @Test func `runs go on where they were, also in the middle of a round`() throws {
    var settings = try settings(six, batch: 4)
    settings.shuffles = true
    settings.transform.mirrors = true
    settings.transform.crop = 1
    let whole = try open(.images(settings))
    for _ in 0..<5 { _ = try whole.batch() }
    let resumed = try open(.images(settings), seed: 77)
    try resumed.move(to: whole.position)
    for _ in 0..<6 { #expect(try resumed.batch() == whole.batch()) }
    let other = try open(.images(self.settings("p 1.png 0")))
    #expect(message { try other.move(to: whole.position) }.contains("stored position"))
  }

  @Test func `bad lists and pictures are told with their line`() throws {
    func refusal(_ lines: String, _ change: (inout DataSource.ImageList) -> Void = { _ in }) throws
      -> String
    {
      var settings = try settings(lines)
      change(&settings)
      return message {
        let source = try open(.images(settings))
        for _ in 0..<3 { _ = try source.batch() }
      }
    }
    let list = scratch.path("list.txt")
    #expect(try refusal("p 1.png 1\np 2.png").hasPrefix("\(list):2:1: a line of a list"))
    #expect(try refusal("p 1.png cat").hasPrefix("\(list):1:1: "))
    #expect(try refusal("p 1.png 99999999999").hasPrefix("\(list):1:1: "))
    #expect(try refusal("\n\n").hasPrefix("\(list): lists no pictures"))
    let missing = try refusal("p 1.png 1\np 2.png 2\nno.png 3")
    #expect(
      missing.hasPrefix("\(list):3:1: \(scratch.folder)/no.png: cannot be read"), "\(missing)")
    try scratch.write("text", "text.png")
    #expect(try refusal("text.png 3").contains("not a JPEG or PNG image"))
    try scratch.png([1, 2], width: 2, height: 1, "small.png")
    #expect(try refusal("p 1.png 1\nsmall.png 2").contains("small.png has 1 x 2 pixels"))
    #expect(try refusal("p 1.png 1") { $0.height = 3 }.contains("go together"))
    #expect(try refusal("p 1.png 1") { $0.path = "no.txt" }.hasPrefix("no.txt: there is no such"))
  }
}
