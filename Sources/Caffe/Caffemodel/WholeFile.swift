import Foundation
import IR

/// Output files that appear whole or not at all: they are written beside their place, synced and renamed, so that
/// neither a crash nor a loss of power leaves half of one.
enum WholeFile {
  /// Creates or replaces the file at `path` with what `write` puts into the handle.
  ///
  /// - Throws: one line; nothing is left behind then, and what was at `path` is still there.
  static func create(_ path: String, write: (FileHandle) throws -> Void) throws(Diagnostic) {
    let url = URL(fileURLWithPath: path)
    let temporary = url.deletingLastPathComponent().appendingPathComponent(
      ".\(url.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).partial")
    let manager = FileManager.default
    guard manager.createFile(atPath: temporary.path, contents: nil) else {
      throw .error(
        "can not be written; does its folder exist, and may you write there?", file: path)
    }
    defer { try? manager.removeItem(at: temporary) }
    do {
      let handle = try FileHandle(forWritingTo: temporary)
      defer { try? handle.close() }
      try write(handle)
      try handle.synchronize()
    } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
      throw .error("can not be written: the disk is full", file: path)
    } catch {
      throw .error("can not be written; is the disk full?", file: path)
    }
    guard rename(temporary.path, path) == 0 else {
      throw .error("can not be put in place: \(String(cString: strerror(errno)))", file: path)
    }
    syncFolder(url.deletingLastPathComponent().path)
  }

  /// Makes the new name durable. Not every file system can; the file itself is safe.
  private static func syncFolder(_ path: String) {
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }
}
