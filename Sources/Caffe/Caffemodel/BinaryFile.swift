import Foundation
import IR
import SwiftProtobuf

/// Brings binary protobuf files into memory and decodes them.
enum BinaryFile {
  /// The largest file that can be read: what protobuf's lengths can express.
  static let maximumBytes = Int(Int32.max)

  /// The bytes of a file; a regular file is mapped, not read.
  ///
  /// - Throws: one line about a file that is missing, unreadable, empty or larger than 2 GB.
  static func contents(of path: String) throws(Diagnostic) -> Data {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw .error(
        errno == ENOENT ? "there is no such file" : String(cString: strerror(errno)), file: path)
    }
    let kind = status.st_mode & S_IFMT
    guard kind != S_IFDIR else {
      throw .error("is a folder where a file is expected", file: path)
    }
    let url = URL(fileURLWithPath: path)
    let data: Data?
    if kind == S_IFREG {
      guard status.st_size <= maximumBytes else { throw tooLarge(path) }
      data = try? Data(contentsOf: url, options: .alwaysMapped)
    } else {
      data = try streamed(url, path)
    }
    guard let data else {
      throw .error("can not be read; check its permissions", file: path)
    }
    return data
  }

  /// Reads what can not be mapped, a pipe for example.
  private static func streamed(_ url: URL, _ path: String) throws(Diagnostic) -> Data? {
    guard let handle = try? FileHandle(forReadingFrom: url) else { return nil }
    defer { try? handle.close() }
    var data = Data()
    while let piece = try? handle.read(upToCount: 1 << 20), !piece.isEmpty {
      data.append(piece)
      guard data.count <= maximumBytes else { throw tooLarge(path) }
    }
    return data
  }

  private static func tooLarge(_ path: String) -> Diagnostic {
    .error("is larger than 2 GB (\(maximumBytes) bytes), the limit of the format", file: path)
  }

  /// Checks and decodes a message.
  ///
  /// - Parameters:
  ///   - kind: the message's structure, for the check.
  ///   - what: what the file should be, with its article, for error messages.
  static func decode<Wire: Message>(
    _ type: Wire.Type, as kind: WireCheck.Message, from data: Data, file: String, what: String
  ) throws(Diagnostic) -> Wire {
    guard !data.isEmpty else { throw .error("is empty; it should be \(what)", file: file) }
    guard data.count <= maximumBytes else { throw tooLarge(file) }
    if let foreign = foreignFormat(data, file: file) {
      throw .error("is \(foreign)", file: file)
    }
    do {
      try WireCheck.check(data, as: kind)
    } catch {
      guard !isText(data) else {
        throw .error("is text where \(what) is expected; are two files swapped?", file: file)
      }
      throw .error("is not \(what), or is damaged: \(error.reason)", file: file)
    }
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    do {
      return try Wire(serializedBytes: data, options: options)
    } catch BinaryDecodingError.invalidUTF8 {
      throw .error("is damaged: a name in it is not valid UTF-8 text", file: file)
    } catch {
      throw .error("is damaged: it can not be decoded as \(what)", file: file)
    }
  }

  /// What the file is instead, with what to do, if its first bytes tell.
  private static func foreignFormat(_ data: Data, file: String) -> String? {
    let start = data.prefix(64)
    if start.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
      || file.hasSuffix(".h5")
    {
      return "an HDF5 file, which sparsec does not read; "
        + "let Caffe write it with snapshot_format: BINARYPROTO"
    }
    if start.starts(with: [0x1f, 0x8b]) { return "compressed; unpack it with gzip -dk first" }
    if start.starts(with: Array("version https://git-lfs".utf8)) {
      return "a Git LFS pointer, not the file itself; fetch it with git lfs pull"
    }
    return nil
  }

  /// Whether the file starts like text, which binary files hardly do for so long.
  private static func isText(_ data: Data) -> Bool {
    data.prefix(256).allSatisfy { $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }
  }
}
