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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: job.program)
    process.arguments = job.arguments
    if let folder = job.folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    do {
      try process.run()
    } catch {
      throw .error("cannot run \(job.program): \(error.localizedDescription)")
    }
    // Both pipes are drained at once, so that the process never waits for a reader.
    let group = DispatchGroup()
    let collected = Collected()
    DispatchQueue.global().async(group: group) {
      collected.errors = errors.fileHandleForReading.readDataToEndOfFile()
    }
    collected.output = output.fileHandleForReading.readDataToEndOfFile()
    group.wait()
    process.waitUntilExit()
    return JobResult(
      status: process.terminationStatus,
      output: String(decoding: collected.output, as: UTF8.self),
      errors: String(decoding: collected.errors, as: UTF8.self))
  }

  /// The absolute path of a program on the search path.
  public static func find(_ name: String) -> String? {
    let paths = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return paths.split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// Two buffers, each with one writer; the group's wait orders their reading.
private final class Collected: @unchecked Sendable {
  var output = Data()
  var errors = Data()
}
