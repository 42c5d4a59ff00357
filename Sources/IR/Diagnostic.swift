/// A place in a text file that the user wrote.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  /// The file's name as the user gave it.
  public var file: String
  /// Line, counted from 1.
  public var line: Int
  /// Column in characters, counted from 1.
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(file):\(line):\(column)" }
}

/// Something the user should know: a mistake of theirs, or a decision taken for them.
///
/// A diagnostic prints as one line: place, what is wrong, what to do.
public struct Diagnostic: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Level: String, Hashable, Sendable {
    /// Nothing can be made of the input.
    case error
    /// Accepted, but probably not what was meant.
    case warning
    /// For information: what was dropped or assumed.
    case note
  }

  public var level: Level
  /// One sentence without a final full stop; it says what is wrong and what to do.
  public var message: String
  /// Where, if the place is known.
  public var location: SourceLocation?
  /// A file, where a line is meaningless (a binary file, say).
  public var file: String?

  public init(
    _ level: Level, _ message: String, at location: SourceLocation? = nil, file: String? = nil
  ) {
    self.level = level
    self.message = message
    self.location = location
    self.file = file
  }

  /// An error at a place in a text file, or in no file in particular.
  public static func error(_ message: String, at location: SourceLocation? = nil) -> Diagnostic {
    Diagnostic(.error, message, at: location)
  }

  /// An error about a whole file.
  public static func error(_ message: String, file: String) -> Diagnostic {
    Diagnostic(.error, message, file: file)
  }

  /// A warning, at a place if one is known.
  public static func warning(_ message: String, at location: SourceLocation? = nil) -> Diagnostic {
    Diagnostic(.warning, message, at: location)
  }

  /// A note, at a place if one is known.
  public static func note(_ message: String, at location: SourceLocation? = nil) -> Diagnostic {
    Diagnostic(.note, message, at: location)
  }

  public var description: String {
    let place = location.map { "\($0): " } ?? file.map { "\($0): " } ?? ""
    let label = level == .error ? "" : "\(level.rawValue): "
    return "\(place)\(label)\(message)"
  }
}
