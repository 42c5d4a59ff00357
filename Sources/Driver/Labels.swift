import Foundation
import IR

/// Names of classes: a text file with one per line, the first for class 0.
public enum Labels {
  /// The most lines that are read.
  static let maximumCount = 1 << 20

  public static func read(_ path: String) throws(Diagnostic) -> [String] {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw .error("the labels cannot be read: \(error.localizedDescription)", file: path)
    }
    var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
      .map { $0.trimmingCharacters(in: .whitespaces) }
    while lines.last == "" { lines.removeLast() }
    guard !lines.isEmpty, lines.count <= maximumCount else {
      throw .error("\(lines.count) labels; expected one per line", file: path)
    }
    return lines
  }
}
