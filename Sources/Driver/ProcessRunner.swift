import Foundation
import IR

/// A process to run: a program, its arguments and its folder. Describing it runs nothing.
public struct Job: Hashable, Sendable {
  /// An absolute path.
  public var program: String
  public var arguments: [String]
  /// The folder to run in; nil for the caller's.
  public var folder: String?

  public init(program: String, arguments: [String], folder: String? = nil) {
    self.program = program
    self.arguments = arguments
    self.folder = folder
  }

  /// The command as a person would type it.
  public var commandLine: String {
    ([program] + arguments).map { argument in
      let plain = argument.allSatisfy { $0.isLetter || $0.isNumber || "-_=+./,:".contains($0) }
      return plain && !argument.isEmpty
        ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }
}

/// What a process left behind.
public struct JobResult: Hashable, Sendable {
  public var status: Int32
  public var output: String
  public var errors: String
}

/// Runs jobs.
public enum ProcessRunner {
  /// Runs a job to its end and collects what it prints.
  public static func run(_ job: Job) throws(Diagnostic) -> JobResult {
    // Files instead of pipes: nobody has to read while the process runs.
    let output = try NamelessFile()
    let errors = try NamelessFile()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: job.program)
    process.arguments = job.arguments
    if let folder = job.folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(fileDescriptor: output.descriptor)
    process.standardError = FileHandle(fileDescriptor: errors.descriptor)
    do {
      try process.run()
    } catch {
      throw .error("cannot run \(job.program): \(error.localizedDescription)")
    }
    process.waitUntilExit()
    return JobResult(
      status: process.terminationStatus, output: output.text(), errors: errors.text())
  }

  /// The absolute path of a program on the search path.
  public static func find(_ name: String) -> String? {
    let paths = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return paths.split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// A temporary file that a process writes and this one reads; it has no name, so nothing of it stays.
private struct NamelessFile: ~Copyable {
  let descriptor: Int32
  /// What is read of a text, in bytes.
  static let limit = 1 << 24

  init() throws(Diagnostic) {
    var template = UnfinishedFiles.temporaryTemplate()
    descriptor = UnfinishedFiles.uninterrupted {
      let descriptor = mkstemp(&template)
      if descriptor >= 0 { unlink(template) }
      return descriptor
    }
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw .error("cannot make a file in \(NSTemporaryDirectory()): \(reason)")
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  func text() -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < Self.limit {
      let count = pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
