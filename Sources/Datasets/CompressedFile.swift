import CZlib
import Foundation
import IR

/// Reads whole files that may be compressed with gzip.
public enum CompressedFile {
  /// The bytes of a file, unpacked if it is compressed.
  ///
  /// - Parameter limit: the most bytes that are unpacked.
  /// - Throws: one line about a file that is missing, damaged or too large.
  public static func read(_ path: String, limit: Int = 1 << 31) throws(Diagnostic) -> [UInt8] {
    try read(path, limit: limit, origin: Origin(path))
  }

  static func read(_ path: String, limit: Int, origin: Origin) throws(Diagnostic) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw origin.error("there is no such file", file: path)
    }
    guard !isFolder.boolValue else {
      throw origin.error("is a folder where a file is expected", file: path)
    }
    guard let file = gzopen(path, "rb") else {
      throw origin.error("cannot be read: \(String(cString: strerror(errno)))", file: path)
    }
    defer { gzclose(file) }
    gzbuffer(file, 1 << 17)
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = Int(gzread(file, &piece, UInt32(piece.count)))
      var code: Int32 = 0
      let message = gzerror(file, &code)
      guard count >= 0, code == Z_OK || code == Z_STREAM_END else {
        let reason =
          code == Z_BUF_ERROR ? "it is cut off" : message.map { String(cString: $0) } ?? "damaged"
        throw origin.error("cannot be unpacked: \(reason)", file: path)
      }
      if count == 0 { return bytes }
      guard bytes.count + count <= limit else {
        throw origin.error("has more than \(limit) bytes", file: path)
      }
      bytes += piece[..<count]
    }
  }
}
