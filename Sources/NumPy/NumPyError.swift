import Glibc

/// Why an array file could not be read or written; prints as one line that names the file.
public struct NumPyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file's name as the user gave it.
  public let file: String
  /// The array in an `.npz` archive that the message is about.
  public let key: String?
  /// What is wrong.
  public let message: String

  public init(file: String, key: String? = nil, message: String) {
    self.file = file
    self.key = key
    self.message = message
  }

  public var description: String {
    key.map { "\(file): array '\($0)': \(message)" } ?? "\(file): \(message)"
  }
}

/// What is wrong with bytes, before anyone knows which file's they are.
struct Flaw: Error {
  let message: String
  /// The archive's array that is flawed, where it is not the file as a whole.
  var key: String?

  init(_ message: String, key: String? = nil) {
    self.message = message
    self.key = key
  }

  /// A call of the operating system failed.
  static func system(_ action: String, errno code: Int32) -> Flaw {
    Flaw("\(action): \(String(cString: strerror(code)))")
  }

  func inFile(_ file: String) -> NumPyError { NumPyError(file: file, key: key, message: message) }

  func inArray(_ key: String) -> Flaw { Flaw(message, key: key) }
}
