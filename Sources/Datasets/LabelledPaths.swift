import Foundation
import IR

/// The lines `path label` of a list of pictures, as Caffe's ImageData and convert_imageset take them.
struct LabelledPaths: Hashable {
  struct Entry: Hashable {
    /// As the line says it; it may contain spaces.
    var path: String
    var label: Int32
    /// Counted from 1.
    var line: Int
  }

  var entries: [Entry] = []

  /// Reads a list.
  ///
  /// - Throws: a `Diagnostic` that names the list and the line; also if there are no lines.
  init(contentsOf origin: Origin) throws(Diagnostic) {
    let bytes = try CompressedFile.read(origin.path, limit: 1 << 30, origin: origin)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw origin.error("is no text in UTF-8; a list of pictures has lines \"path label\"")
    }
    // Line feeds alone end lines, but for the carriage returns before them.
    for (index, line) in text.utf8.split(separator: 10, omittingEmptySubsequences: false)
      .enumerated()
    {
      let line = (String(line) ?? "").trimmingCharacters(in: .whitespaces.union(.newlines))
      if line.isEmpty { continue }
      let place = SourceLocation(file: origin.path, line: index + 1, column: 1)
      guard let space = line.lastIndex(where: { $0 == " " || $0 == "\t" }),
        let label = Int32(line[line.index(after: space)...])
      else {
        throw .error("a line of a list is \"path label\", and the label an integer", at: place)
      }
      let path = line[..<space].trimmingCharacters(in: .whitespaces)
      entries.append(Entry(path: path, label: label, line: index + 1))
    }
    guard !entries.isEmpty else { throw origin.error("lists no pictures") }
  }
}
