import Foundation

/// A file of the package.
struct SourceText {
  /// Relative to the package.
  var path: String
  var text: String

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  /// Whether a machine wrote it, as its first lines say.
  var isGenerated: Bool { lines.prefix(5).contains("// swift-format-ignore-file") }

  /// The modules that a Swift file imports.
  var imports: [String] {
    // Attributes (@testable), an access level, and what is imported alone (struct Foundation.Data).
    let form = /^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:[a-z]+\s+)?import\s+(?:[a-z]+\s+)?([A-Za-z_]\w*)/
    return lines.compactMap { $0.firstMatch(of: form).map { String($0.output.1) } }
  }
}

/// The files of the package as they are checked out.
enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func manifest() throws -> Manifest {
    Manifest(
      text: try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8))
  }

  /// The Swift and C files in a folder, subfolders included, in the order of their paths.
  static func files(in folder: String, endings: Set<String> = ["swift", "c", "h"]) throws
    -> [SourceText]
  {
    let names =
      FileManager.default.enumerator(atPath: root.appending(path: folder).path)?
      .compactMap { $0 as? String } ?? []
    return
      try names
      .filter { endings.contains(($0 as NSString).pathExtension) }
      .sorted()
      .map { name in
        let path = "\(folder)/\(name)"
        return SourceText(
          path: path,
          text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
      }
  }
}
