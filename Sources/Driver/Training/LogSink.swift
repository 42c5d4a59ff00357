import Foundation
import IR

/// Where a log's lines go, whole lines at a time, so that whoever reads along never sees half of one.
public final class LogSink {
  private let handle: FileHandle
  private let name: String
  /// What went wrong first; a log that cannot be written does not stop training.
  public private(set) var failure: Diagnostic?

  private init(_ handle: FileHandle, name: String) {
    self.handle = handle
    self.name = name
  }

  public static var standardOutput: LogSink {
    LogSink(.standardOutput, name: "standard output")
  }

  /// A file that lines are added to, made if it is not there.
  ///
  /// - Throws: if it cannot be written.
  public static func file(_ path: String) throws(Diagnostic) -> LogSink {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw .error("cannot be written: \(String(cString: strerror(errno)))", file: path)
    }
    return LogSink(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true), name: path)
  }

  /// Adds lines, each with its line break.
  public func write(_ lines: [String]) {
    guard failure == nil else { return }
    do {
      try handle.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
    } catch {
      failure = .error("cannot be written: \(error.localizedDescription)", file: name)
    }
  }
}
