import Foundation
import IR

/// An output file that appears whole or not at all: it is made beside its place and then renamed.
public struct FileInTheMaking: ~Copyable {
  /// Where to write.
  public let partial: String
  private let target: String

  /// Checks at once that a file can be made there.
  public init(_ target: String) throws(Diagnostic) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: target, isDirectory: &isFolder), isFolder.boolValue {
      throw .error("is a folder; name a file", file: target)
    }
    let absolute = URL(fileURLWithPath: target).path
    let partial = "\(absolute).\(getpid()).partial"
    let made = UnfinishedFiles.make {
      let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { return nil }
      close(descriptor)
      return partial
    }
    guard made != nil else {
      let reason = String(cString: strerror(errno))
      throw .error("cannot be written: \(reason)", file: target)
    }
    self.target = target
    self.partial = partial
  }

  deinit {
    unlink(partial)
    UnfinishedFiles.remove(partial)
  }

  /// Puts the finished file in its place.
  public consuming func finish() throws(Diagnostic) {
    guard rename(partial, target) == 0 else {
      let reason = String(cString: strerror(errno))
      throw .error("cannot be written: \(reason)", file: target)
    }
  }

  /// Writes a whole file.
  public static func write(_ bytes: some Sequence<UInt8>, to target: String) throws(Diagnostic) {
    let file = try FileInTheMaking(target)
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: file.partial))
    } catch {
      throw .error("cannot be written: \(error.localizedDescription)", file: target)
    }
    try file.finish()
  }
}
