import Foundation
import Testing

/// What the house does without, and how long its files may be.
struct HabitTests {
  static let longest = 450

  /// What must not stand in Sources, and what to do instead. A word of letters counts as a whole word only.
  static let unwanted = [
    ("TODO", "finish it, or write it down where it is planned"),
    ("FIXME", "finish it, or write it down where it is planned"),
    ("fatalError(", "say it in a typed error, or as a precondition with a message"),
    ("try!", "handle the error"),
    ("as!", "handle the other types"),
  ]

  /// The unwanted words of a text, each as "file:line: advice".
  static func complaints(about file: SourceText) -> [String] {
    // Most files have none, which a look at the whole text tells quickest.
    let present = unwanted.filter { file.text.contains($0.0) }
    if present.isEmpty { return [] }
    return file.lines.enumerated().flatMap { number, line in
      present.filter { word, _ in
        line.ranges(of: word).contains { range in
          let before = line[..<range.lowerBound].last
          let after = line[range.upperBound...].first
          return before?.isLetter != true
            && (word.last?.isLetter != true || after?.isLetter != true)
        }
      }
      .map { "\(file.path):\(number + 1): \($0.1)" }
    }
  }

  @Test func `sources have no loose ends`() throws {
    for file in try SourceTree.files(in: "Sources") where !file.isGenerated {
      for complaint in Self.complaints(about: file) { Issue.record("\(complaint)") }
    }
  }

  @Test func `files stay short`() throws {
    for folder in ["Sources", "Tests"] {
      let files = try SourceTree.files(in: folder)
      #expect(!files.isEmpty)
      for file in files where !file.isGenerated {
        #expect(
          file.lines.count <= Self.longest + 1,
          "\(file.path) has \(file.lines.count - 1) lines; does a second idea live there?")
      }
    }
  }

  @Test func `loose ends are found`() {
    let file = SourceText(
      path: "x.swift",
      text: """
        let a = try! f()
        let b = c as! Int // TODO
        fatalError(words)
        let aliased = try? d as? Int  // fatalErrors(), hobTODOs
        """)
    #expect(
      Self.complaints(about: file).map { $0.prefix(9) } == [
        "x.swift:1", "x.swift:2", "x.swift:2", "x.swift:3",
      ])
  }
}
