import Foundation

/// Where tests find their files.
public enum SharedFiles {
  /// The folder of Package.swift.
  public static let packageRoot = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Nets, goldens and data that are no part of the repository: the folder `shared` beside it; nil
  /// if it is not there. Tests that need it are disabled without it.
  public static let folder: URL? = {
    let folder = packageRoot.deletingLastPathComponent().appending(path: "shared")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// A file or folder in `folder`; nil if it is not there.
  public static func find(_ path: String) -> URL? {
    guard let file = folder?.appending(path: path) else { return nil }
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }
}
