import Glibc

/// Bytes that can be read at any place; a file, or memory.
protocol StoredBytes: Sendable {
  var count: Int { get }
  /// Fills the buffer with the bytes from `offset` on; they must exist.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Flaw)
}

extension StoredBytes {
  /// The bytes of a range, or a flaw if the range leaves what is there.
  func bytes(at offset: Int, count: Int) throws(Flaw) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw Flaw("the file ends too early")
    }
    var result = [UInt8](repeating: 0, count: count)
    var flaw: Flaw?
    result.withUnsafeMutableBytes { buffer in
      do throws(Flaw) { try read(at: offset, into: buffer) } catch { flaw = error }
    }
    if let flaw { throw flaw }
    return result
  }
}

/// A whole file held in memory.
struct MemoryBytes: StoredBytes {
  let bytes: [UInt8]

  var count: Int { bytes.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Flaw) {
    guard offset <= count, buffer.count <= count - offset else {
      throw Flaw("the file ends too early")
    }
    buffer.copyBytes(from: bytes[offset..<offset + buffer.count])
  }
}

/// An open file. Large arrays go from it straight into their own memory.
final class FileBytes: StoredBytes {
  private let descriptor: Int32
  let count: Int

  init(_ path: String) throws(Flaw) {
    // Without O_NONBLOCK the opening of a pipe would wait for somebody to write.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot be read", errno: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system("cannot be read", errno: code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Flaw("not a regular file")
    }
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Flaw) {
    guard let start = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let got = pread(descriptor, start + done, buffer.count - done, off_t(offset + done))
      if got < 0 {
        if errno == EINTR { continue }
        throw .system("cannot be read", errno: errno)
      }
      // The file may have become shorter since it was opened.
      if got == 0 { throw Flaw("the file ends too early") }
      done += got
    }
  }
}
