import Foundation
import IR
import Testing

@testable import Driver

/// Two files appear together or not at all.
struct FilePairTests {
  private let folder: String

  init() throws {
    folder = "\(FileManager.default.temporaryDirectory.path)/sparsec-pair-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
  }

  private func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: "\(folder)/\(name)")
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func `both replace what was there`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("old".utf8).write(to: URL(fileURLWithPath: "\(folder)/a"))
    let pair = try FilePair("\(folder)/a", "\(folder)/b")
    try pair.write(Data("1".utf8), Data("2".utf8))
    #expect(try names() == ["a", "b"])
    #expect(text("a") == "1")
    #expect(text("b") == "2")
  }

  @Test(arguments: [true, false]) func `if the second cannot appear the first is as it was`(
    _ isThere: Bool
  ) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    if isThere { try Data("old".utf8).write(to: URL(fileURLWithPath: "\(folder)/a")) }
    let pair = try FilePair("\(folder)/a", "\(folder)/b")
    // Somebody else takes the place meanwhile.
    try FileManager.default.createDirectory(
      atPath: "\(folder)/b/c", withIntermediateDirectories: true)
    var error: Diagnostic?
    do {
      try pair.write(Data("1".utf8), Data("2".utf8))
    } catch let refusal {
      error = refusal
    }
    #expect(error?.description.hasPrefix("\(folder)/b: cannot be written: ") == true)
    #expect(text("a") == (isThere ? "old" : nil))
    #expect(try names() == (isThere ? ["a", "b"] : ["b"]))
  }

  @Test func `paths to one file are the same however they are written`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = "\(folder)/a"
    #expect(FilePair.areSame(file, "\(folder)/./x/../a"))
    try Data().write(to: URL(fileURLWithPath: file))
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/link", withDestinationPath: "a")
    try FileManager.default.linkItem(atPath: file, toPath: "\(folder)/twin")
    #expect(FilePair.areSame(file, "\(folder)/link"))
    #expect(FilePair.areSame(file, "\(folder)/twin"))
    #expect(!FilePair.areSame(file, "\(folder)/b"))
  }
}
