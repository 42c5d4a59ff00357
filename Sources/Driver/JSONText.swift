import Foundation
import IR

/// JSON as the command line prints it: keys sorted, so that equal results have equal bytes.
enum JSONText {
  /// A value on one line, without a line break at its end.
  static func line(_ value: some Encodable) throws(Diagnostic) -> String {
    try encode(value, [.sortedKeys, .withoutEscapingSlashes])
  }

  /// A document on several lines, ending in a line break.
  static func document(_ value: some Encodable) throws(Diagnostic) -> String {
    try encode(value, [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]) + "\n"
  }

  private static func encode(
    _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
  ) throws(Diagnostic) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    // JSON has no infinities; the same words as in a manifest.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw .error("the result cannot be written as JSON: \(error)")
    }
  }
}
