import Foundation
import IR

/// An output folder that appears whole or not at all: it is made beside its place and then renamed.
struct FolderInTheMaking: ~Copyable {
  /// Where to write; the folder is there, and empty.
  let partial: String
  private let target: String
  private let name: String

  /// Checks at once that a folder can be made there; an empty one in its place is replaced.
  init(_ name: String) throws(Diagnostic) {
    let target = URL(fileURLWithPath: name).path
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    if manager.fileExists(atPath: target, isDirectory: &isFolder), !isFolder.boolValue {
      throw .error("is a file; name a new folder", file: name)
    }
    let isEmptyOrMissing = ((try? manager.contentsOfDirectory(atPath: target)) ?? []).isEmpty
    guard isEmptyOrMissing else {
      throw .error("has files in it; name a new folder", file: name)
    }
    let partial = "\(target).\(getpid()).partial"
    let made = UnfinishedFiles.make { mkdir(partial, 0o777) == 0 ? partial : nil }
    guard made != nil else {
      throw .error("cannot be made: \(String(cString: strerror(errno)))", file: name)
    }
    self.partial = partial
    self.target = target
    self.name = name
  }

  deinit {
    try? FileManager.default.removeItem(atPath: partial)
    UnfinishedFiles.remove(partial)
  }

  /// Puts the finished folder in its place.
  consuming func finish() throws(Diagnostic) {
    guard rename(partial, target) == 0 else {
      throw .error("cannot be made: \(String(cString: strerror(errno)))", file: name)
    }
  }
}
