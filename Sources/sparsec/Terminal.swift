import Driver
import Foundation

/// The two streams that a command writes to.
enum Terminal {
  /// Writes a result to standard output at once.
  static func print(_ text: String) throws(OutputError) {
    // A full disk behind a redirection is an error like any other.
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw OutputError(reason: error.localizedDescription)
    }
  }

  /// Writes one line to standard error.
  static func report(_ line: some CustomStringConvertible) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
  }
}

/// Standard output takes no more.
struct OutputError: Error, CustomStringConvertible {
  let reason: String

  var description: String { "standard output cannot be written: \(reason)" }
}
