import IR

/// Whom a message about data is about: a file or folder, and the layer that reads it.
struct Origin: Hashable, Sendable {
  /// The path as the user gave it.
  var path: String
  /// Empty outside of nets.
  var layer: String

  init(_ path: String, layer: String = "") {
    self.path = path
    self.layer = layer
  }

  /// A one-line error about the whole source, or about the file `path` that belongs to it.
  func error(_ message: String, file: String? = nil) -> Diagnostic {
    let suffix = layer.isEmpty ? "" : " (layer \"\(layer)\")"
    return .error(message + suffix, file: file ?? path)
  }

  /// A one-line error about one record of a database.
  func error(_ message: String, record key: UnsafeRawBufferPointer) -> Diagnostic {
    error("record \(Self.quoted(key)): \(message); make the database again")
  }

  /// A key as messages show it: quoted, without control characters, cut off if it is long.
  static func quoted(_ key: UnsafeRawBufferPointer) -> String {
    let shown = key.prefix(80).map { byte in
      (0x20..<0x7f).contains(byte) && byte != 0x22 && byte != 0x5c
        ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return "\"" + shown.joined() + (key.count > 80 ? "\"..." : "\"")
  }
}
