import CPrelude

/// A source file that a compiled network is built from.
public struct SourceFile: Hashable, Sendable {
  public var name: String
  public var bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  public init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }
}

/// The C sources that come with the compiler: kernels, the fixed part of a network, the public header.
public enum Prelude {
  public static let files: [SourceFile] = {
    var count = 0
    guard let list = sparsec_prelude_files(&count) else { return [] }
    return UnsafeBufferPointer(start: list, count: count).map { file in
      SourceFile(
        name: String(cString: file.name),
        bytes: Array(UnsafeBufferPointer(start: file.bytes, count: file.size)))
    }
  }()

  /// The C files that are compiled for the baseline CPU and linked into every network.
  public static var fixedSources: [SourceFile] { files.filter { $0.name.hasSuffix(".c") } }

  /// `headers` and all they include, in the list's order.
  public static func headers(including headers: Set<String>) -> [SourceFile] {
    var wanted: Set<String> = []
    var queue = headers.sorted()
    while let name = queue.popLast() {
      guard wanted.insert(name).inserted else { continue }
      guard let file = files.first(where: { $0.name == name }) else { continue }
      queue += includes(of: file)
    }
    return files.filter { wanted.contains($0.name) }
  }

  /// The files that a file includes in quotes.
  private static func includes(of file: SourceFile) -> [String] {
    String(decoding: file.bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      guard line.hasPrefix("#include \"") else { return nil }
      let name = line.dropFirst("#include \"".count)
      return name.firstIndex(of: "\"").map { String(name[..<$0]) }
    }
  }
}
