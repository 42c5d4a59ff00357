import Foundation
import IR

/// Two output files that appear together, or not at all.
struct FilePair: ~Copyable {
  private let first: FileInTheMaking
  private let second: FileInTheMaking
  private let targets: (first: String, second: String)

  /// Checks at once that both can be made.
  init(_ first: String, _ second: String) throws(Diagnostic) {
    let one = try FileInTheMaking(first)
    let two = try FileInTheMaking(second)
    self.first = one
    self.second = two
    targets = (first, second)
  }

  /// Writes both and puts them in their places.
  consuming func write(_ first: Data, _ second: Data) throws(Diagnostic) {
    try Self.write(first, to: self.first.partial, for: targets.first)
    try Self.write(second, to: self.second.partial, for: targets.second)
    let paths = (self.first.partial, self.second.partial)
    let targets = targets
    let failure = UnfinishedFiles.uninterrupted { () -> Diagnostic? in
      // What lies in the first place comes back if the second one cannot be taken.
      let kept = "\(paths.0).kept"
      let isReplaced = link(targets.first, kept) == 0
      defer { unlink(kept) }
      guard rename(paths.0, targets.first) == 0 else { return Self.refusal(targets.first) }
      guard rename(paths.1, targets.second) == 0 else {
        let refusal = Self.refusal(targets.second)
        if isReplaced { rename(kept, targets.first) } else { unlink(targets.first) }
        return refusal
      }
      return nil
    }
    if let failure { throw failure }
  }

  private static func write(_ bytes: Data, to partial: String, for target: String)
    throws(Diagnostic)
  {
    do {
      try bytes.write(to: URL(fileURLWithPath: partial))
    } catch {
      throw .error("cannot be written: \(error.localizedDescription)", file: target)
    }
  }

  private static func refusal(_ target: String) -> Diagnostic {
    .error("cannot be written: \(String(cString: strerror(errno)))", file: target)
  }

  /// Whether two paths lead to the same file, or would if it were there.
  static func areSame(_ a: String, _ b: String) -> Bool {
    var (there, other) = (stat(), stat())
    if stat(a, &there) == 0, stat(b, &other) == 0 {
      return there.st_dev == other.st_dev && there.st_ino == other.st_ino
    }
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    return resolved(a) == resolved(b)
  }
}
