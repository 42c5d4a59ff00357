import Glibc

/// Reads files whole, within a limit, and tells why it could not.
enum FileContents {
  /// What may stop a read.
  enum Failure: Error {
    case system(errno: Int32)
    case tooLarge
  }

  /// All bytes of a file, or its first `prefix` bytes; pipes are read too.
  ///
  /// The limit holds for what is actually read, so devices that never end are no danger.
  static func read(
    _ path: String, limit: Int, prefix: Int = .max
  ) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(errno: errno) }
    if status.st_size > limit && prefix > limit { throw .tooLarge }

    var bytes: [UInt8] = []
    // One byte more than the size, so that a file is known to have ended after one read.
    var step = min(prefix, max(4096, Int(status.st_size) + 1))
    while bytes.count < prefix {
      let chunk = try readChunk(descriptor, count: min(step, prefix - bytes.count))
      if chunk.isEmpty { break }
      if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
      if bytes.count > limit { throw .tooLarge }
      // A regular file has ended now; a pipe gives this much at once at most.
      step = 1 << 16
    }
    return bytes
  }

  private static func readChunk(
    _ descriptor: Int32, count: Int
  ) throws(Failure) -> [UInt8] {
    var code: Int32 = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      var got = 0
      repeat {
        got = Glibc.read(descriptor, buffer.baseAddress, count)
      } while got < 0
        && errno == EINTR
      if got < 0 { code = errno }
      filled = max(0, got)
    }
    if code != 0 { throw .system(errno: code) }
    return chunk
  }
}
