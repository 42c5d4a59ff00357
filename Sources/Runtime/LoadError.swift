/// Why a file could not be opened as a compiled network.
public enum LoadError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is missing, is no regular file, or may not be read.
  case unreadable(path: String, reason: String)
  /// The file is something else than a shared object for this machine.
  case notASharedObject(path: String, reason: String)
  /// A shared object whose parts contradict each other: cut short, or changed after it was linked.
  case damaged(path: String, reason: String)
  /// The dynamic linker refused the file, in its own words.
  case refused(path: String, reason: String)
  /// A sound shared object that sparsec did not write.
  case notANetwork(path: String, reason: String)
  /// A network that a sparsec with another interface wrote.
  case otherVersion(path: String, found: Int, expected: Int)

  /// One line: the file, what is wrong, what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .notASharedObject(let path, let reason):
      "\(path): \(reason); expected a network compiled by sparsec"
    case .damaged(let path, let reason):
      "\(path): the file is damaged (\(reason)); compile or copy it again"
    case .refused(let path, let reason):
      "\(path): the dynamic linker refused it: \(reason)"
    case .notANetwork(let path, let reason):
      "\(path): not a network compiled by sparsec: \(reason)"
    case .otherVersion(let path, let found, let expected):
      "\(path): compiled for interface version \(found), this sparsec runs version \(expected); "
        + "compile it again"
    }
  }
}
