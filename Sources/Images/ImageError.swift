import Glibc

/// Why no image could be had from a file; prints as one line that starts with the file's name.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The system refused to open or read the file: its `errno`.
    case unreadable(errno: Int32)
    /// The file has more bytes than are read for one image.
    case fileTooLarge(limit: Int)
    /// The content is something else, `found` if it was recognised.
    case unknownFormat(found: String?)
    /// A JPEG or PNG file with missing or damaged data, or too many pixels; the decoder's words.
    case damaged(format: String, message: String)
    /// The image cannot be written in this format; the encoder's words.
    case notEncoded(format: String, message: String)
  }

  /// The file's name as the user gave it.
  public let file: String
  public let reason: Reason

  public init(file: String, reason: Reason) {
    self.file = file
    self.reason = reason
  }

  public var description: String {
    switch reason {
    case .unreadable(let code): "\(file): cannot be read: \(String(cString: strerror(code)))"
    case .fileTooLarge(let limit): "\(file): too large for an image (more than \(limit) bytes)"
    case .unknownFormat(let found?): "\(file): not a JPEG or PNG image but \(found); convert it"
    case .unknownFormat(nil): "\(file): not a JPEG or PNG image"
    case .damaged(let format, let message): "\(file): damaged \(format) image: \(message)"
    case .notEncoded(let format, let message):
      "\(file): cannot be written as \(format) image: \(message)"
    }
  }
}
