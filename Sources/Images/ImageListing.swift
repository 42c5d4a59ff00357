import Glibc

/// The image files that a command line means: files as given, folders in sorted order.
public struct ImageListing: Hashable, Sendable {
  /// Something in a folder that was passed over.
  public struct Omission: Hashable, Sendable, CustomStringConvertible {
    public let path: String
    /// One phrase, such as `not a JPEG or PNG image`.
    public let reason: String

    public var description: String { "\(path): \(reason), passed over" }
  }

  /// Paths to decode, in order.
  public private(set) var files: [String] = []
  /// What the folders contain besides, in order.
  public private(set) var omissions: [Omission] = []

  /// Lists files and the direct contents of folders, the latter sorted by the bytes of their names.
  ///
  /// A path given by name is taken as it is, so that decoding it reports what is wrong; only what
  /// was found in a folder is looked into first. Folders inside folders are not searched but named.
  public init(_ paths: [String]) throws(ImageError) {
    for path in paths {
      if Self.kind(of: path) == S_IFDIR {
        try addFolder(path)
      } else {
        files.append(path)
      }
    }
  }

  private mutating func addFolder(_ folder: String) throws(ImageError) {
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    for name in try Self.names(in: folder) {
      let path = prefix + name
      switch Self.kind(of: path) {
      case S_IFDIR:
        omissions.append(Omission(path: path, reason: "a folder inside a folder"))
      case S_IFREG:
        // Unreadable files stay in the list: they may be images, and decoding says what is wrong.
        let isImage = (try? ImageDecoder.recognizes(contentsOf: path)) ?? true
        if isImage {
          files.append(path)
        } else {
          omissions.append(Omission(path: path, reason: "not a JPEG or PNG image"))
        }
      default:
        omissions.append(Omission(path: path, reason: "not a file"))
      }
    }
  }

  /// The file type bits of what a path leads to; nil if it leads nowhere.
  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  private static func names(in folder: String) throws(ImageError) -> [String] {
    guard let stream = opendir(folder) else {
      throw ImageError(file: folder, reason: .unreadable(errno: errno))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw ImageError(file: folder, reason: .unreadable(errno: errno)) }
        break
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
