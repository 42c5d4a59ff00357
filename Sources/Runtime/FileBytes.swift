import Glibc

/// A regular file, open for reading at any place; closed when it goes away.
struct FileBytes: ~Copyable {
  let path: String
  let size: UInt64
  private let descriptor: CInt

  init(path: String) throws(LoadError) {
    // Not blocking: a named pipe must be refused below, not waited for here.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable(path: path, reason: "not a regular file")
    }
    self.path = path
    self.size = UInt64(status.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Whether `count` bytes from `offset` on lie in the file.
  func holds(_ count: UInt64, at offset: UInt64) -> Bool {
    offset <= size && count <= size - offset
  }

  /// The bytes at `offset`, which the file must hold.
  func read(_ count: Int, at offset: UInt64) throws(LoadError) -> [UInt8] {
    precondition(holds(UInt64(count), at: offset), "reading beyond the file")
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
      }
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else {
        let reason = got < 0 ? String(cString: strerror(errno)) : "the file shrank"
        throw .unreadable(path: path, reason: reason)
      }
      filled += got
    }
    return bytes
  }
}
