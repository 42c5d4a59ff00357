import Foundation
import IR

/// A prototxt file: the definition of a net or the settings of a solver.
public struct Prototxt: Equatable, Sendable {
  /// What a file defines.
  public enum Kind: String, Hashable, Sendable {
    case net
    case solver

    /// The type of the message.
    var type: String { self == .net ? "NetParameter" : "SolverParameter" }
    var other: Kind { self == .net ? .solver : .net }
  }

  public var kind: Kind
  /// A `NetParameter` or a `SolverParameter`.
  public var message: TextMessage
  /// Unknown fields that were skipped.
  public var warnings: [Diagnostic]

  /// The largest file that is read, in bytes.
  public static let maximumSize = 64 << 20

  /// Reads protobuf text.
  ///
  /// - Parameters:
  ///   - bytes: the text; only strings need to be UTF-8.
  ///   - file: the name that errors mention.
  ///   - expected: what the file must be; nil to let its fields tell.
  ///   - allowUnknownFields: whether an unknown field is skipped with a warning.
  /// - Throws: the first mistake, with its line and column.
  public static func parse(
    bytes: [UInt8], file: String, as expected: Kind? = nil, allowUnknownFields: Bool = false
  ) throws(Diagnostic) -> Prototxt {
    guard bytes.count <= maximumSize else {
      throw .error("larger than \(maximumSize >> 20) MB, which no prototxt is", file: file)
    }
    let kind = try kind(bytes: bytes, file: file, expected: expected)
    var parser = try PrototxtParser(
      bytes: bytes, file: file, allowUnknownFields: allowUnknownFields)
    let message = try parser.parse(as: kind.type)
    return Prototxt(kind: kind, message: message, warnings: parser.warnings)
  }

  /// Reads protobuf text from a string; see `parse(bytes:file:as:allowUnknownFields:)`.
  public static func parse(
    text: String, file: String, as expected: Kind? = nil, allowUnknownFields: Bool = false
  ) throws(Diagnostic) -> Prototxt {
    try parse(
      bytes: Array(text.utf8), file: file, as: expected, allowUnknownFields: allowUnknownFields)
  }

  /// Reads a file; see `parse(bytes:file:as:allowUnknownFields:)`.
  public static func read(
    _ path: String, as expected: Kind? = nil, allowUnknownFields: Bool = false
  ) throws(Diagnostic) -> Prototxt {
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else {
      throw .error("there is no such file", file: path)
    }
    guard attributes[.type] as? FileAttributeType != .typeDirectory else {
      throw .error("is a folder where a file is expected", file: path)
    }
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw .error("can not be read; check its permissions", file: path)
    }
    defer { try? handle.close() }
    // One byte more than allowed tells that a file is too large without reading all of it.
    guard let data = try? handle.read(upToCount: maximumSize + 1) ?? Data() else {
      throw .error("can not be read", file: path)
    }
    let bytes = [UInt8](data)
    return try parse(
      bytes: bytes, file: path, as: expected, allowUnknownFields: allowUnknownFields)
  }

  /// The first field that only one kind has decides.
  private static func kind(bytes: [UInt8], file: String, expected: Kind?) throws(Diagnostic)
    -> Kind
  {
    let names = PrototxtParser.topLevelNames(bytes: bytes, file: file)
    let found = names.lazy.compactMap { name in
      [Kind.net, .solver].first { kind in
        Schema.caffe.messages[kind.type]?[name] != nil
          && Schema.caffe.messages[kind.other.type]?[name] == nil
      }
    }.first
    if names.isEmpty {
      // Text without any field: let the parser say what is wrong with it, if it is not just empty.
      var parser = try PrototxtParser(bytes: bytes, file: file, allowUnknownFields: false)
      _ = try parser.parse(as: Kind.net.type)
      throw .error("holds no fields; a net or a solver is expected", file: file)
    }
    if let expected {
      if let found, found != expected {
        throw .error("this is a \(found.rawValue), not a \(expected.rawValue)", file: file)
      }
      return expected
    }
    return found ?? .net
  }
}
