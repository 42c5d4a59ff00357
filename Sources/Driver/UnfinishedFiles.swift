import Foundation
import Synchronization

/// Files and folders in the making, which must not stay behind when the program is ended from outside.
public enum UnfinishedFiles {
  private static let paths = Mutex<Set<String>>([])

  /// What mkstemp and mkdtemp make the name of a file or folder of, in the folder for temporary ones.
  static func temporaryTemplate() -> [CChar] {
    let base = NSTemporaryDirectory()
    return Array((base + (base.hasSuffix("/") ? "" : "/") + "sparsec-XXXXXX").utf8CString)
  }

  /// Makes something that is unfinished and returns its path, or nil; no end comes in between.
  static func make(_ create: () -> String?) -> String? {
    paths.withLock { paths in
      let path = create()
      if let path { paths.insert(path) }
      return path
    }
  }

  /// Does something that leaves nothing behind, but for a moment would; no end comes in between.
  static func uninterrupted<Result>(_ body: () -> Result) -> Result {
    paths.withLock { _ in body() }
  }

  /// Forgets what is finished, or gone.
  static func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Deletes all of them and then ends the program; nothing is made any more meanwhile.
  public static func deleteAll(andThen end: () -> Void) {
    paths.withLock { paths in
      for path in paths {
        // Owners still write into folders; what appears while one is deleted goes the next time.
        for _ in 0..<100 where FileManager.default.fileExists(atPath: path) {
          try? FileManager.default.removeItem(atPath: path)
        }
      }
      end()
    }
  }
}
