import Glibc

/// A file in the making, next to the one it replaces: it appears whole or not at all.
///
/// What is not a regular file (a pipe, `/dev/null`) is written to directly, never replaced.
struct FileReplacement: ~Copyable {
  private let descriptor: Int32
  private let target: String
  /// The unfinished file; nil if the target is written to directly.
  private let partial: String?

  init(_ path: String) throws(Flaw) {
    var status = stat()
    let exists = stat(path, &status) == 0
    target = exists ? Self.resolved(path) : path
    let isReplaced = !exists || status.st_mode & S_IFMT == S_IFREG
    (descriptor, partial) =
      isReplaced ? Self.createPartial(of: target) : (open(path, O_WRONLY | O_CLOEXEC), nil)
    guard descriptor >= 0 else { throw .system("cannot be written", errno: errno) }
  }

  /// A new file beside the target, or -1 and `errno`; the number avoids what others have left.
  private static func createPartial(of target: String) -> (descriptor: Int32, name: String?) {
    for number in 0..<1000 {
      let name = "\(target).\(getpid())-\(number).partial"
      let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, name) }
      if errno != EEXIST { break }
    }
    return (-1, nil)
  }

  /// Appends bytes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Flaw) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let written = Glibc.write(descriptor, start + done, bytes.count - done)
      if written < 0 {
        if errno == EINTR { continue }
        throw .system("cannot be written", errno: errno)
      }
      done += written
    }
  }

  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws(Flaw) {
    var flaw: Flaw?
    bytes.withUnsafeBytes { buffer in
      do throws(Flaw) { try write(buffer) } catch { flaw = error }
    }
    if let flaw { throw flaw }
  }

  /// Puts the finished file in its place. Without this, nothing of it stays.
  consuming func finish() throws(Flaw) {
    guard let partial else { return }
    guard rename(partial, target) == 0 else { throw .system("cannot be written", errno: errno) }
  }

  deinit {
    close(descriptor)
    // After `finish` the name is gone, and this does nothing.
    if let partial { unlink(partial) }
  }

  /// Where symbolic links lead, so that the file behind one is replaced and not the link.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}
