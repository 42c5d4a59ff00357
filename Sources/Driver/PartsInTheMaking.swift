import Foundation
import IR

/// Files and folders in one output folder that appear together, or not at all; others may lie there already.
struct PartsInTheMaking: ~Copyable {
  /// Where to write the parts; the folder is there, and empty.
  let partial: String
  private let target: String
  private let name: String
  private let parts: [String]
  /// Whether the output folder is made too.
  private let isNew: Bool

  /// Checks at once that the parts can be made, and that none is there.
  ///
  /// - Parameter parts: what will lie in `partial` in the end.
  init(_ name: String, parts: [String]) throws(Diagnostic) {
    let target = URL(fileURLWithPath: name).path
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    let isThere = manager.fileExists(atPath: target, isDirectory: &isFolder)
    guard !isThere || isFolder.boolValue else {
      throw .error("is a file; name a folder", file: name)
    }
    for part in parts {
      var status = stat()
      // Also where a link leads nowhere.
      guard lstat("\(target)/\(part)", &status) != 0 else {
        throw .error("is there already; remove it, or name another folder", file: "\(name)/\(part)")
      }
    }
    // What is renamed must lie in the same file system, and the folder may be where another one begins.
    let partial =
      isThere ? "\(target)/.sparsec.\(getpid()).partial" : "\(target).\(getpid()).partial"
    let made = UnfinishedFiles.make { mkdir(partial, 0o777) == 0 ? partial : nil }
    guard made != nil else {
      throw .error("cannot be made: \(String(cString: strerror(errno)))", file: name)
    }
    self.partial = partial
    self.target = target
    self.name = name
    self.parts = parts
    isNew = !isThere
  }

  deinit {
    try? FileManager.default.removeItem(atPath: partial)
    UnfinishedFiles.remove(partial)
  }

  /// Puts the finished parts in their places.
  consuming func finish() throws(Diagnostic) {
    let (partial, target, parts, isNew) = (partial, target, parts, isNew)
    let failure = UnfinishedFiles.uninterrupted { () -> String? in
      if isNew { return rename(partial, target) == 0 ? nil : String(cString: strerror(errno)) }
      for (index, part) in parts.enumerated()
      where rename("\(partial)/\(part)", "\(target)/\(part)") != 0 {
        let reason = String(cString: strerror(errno))
        for moved in parts[..<index] { rename("\(target)/\(moved)", "\(partial)/\(moved)") }
        return reason
      }
      return nil
    }
    if let failure { throw .error("cannot be made: \(failure)", file: name) }
  }
}
