import Foundation

/// What Package.swift says about one target.
struct Target: Equatable {
  var name: String
  /// The folder of its sources, relative to the package.
  var folder: String
  /// The modules that it may import: targets of the package, and products of other packages.
  var dependencies: Set<String>
  /// Whether it holds tests, or is support for them.
  var isForTests: Bool { folder.hasPrefix("Tests/") }
}

/// The targets of a package manifest, read from its text.
///
/// SwiftPM could be asked, but takes a lock that a running `swift test` holds.
struct Manifest {
  var targets: [Target]

  init(text: String) {
    let code = text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: "\n")
    let start = code.range(of: "targets: [\n    ")?.upperBound ?? code.startIndex
    targets = code[start...].matches(of: /\.(target|executableTarget|testTarget|systemLibrary)\(/)
      .compactMap { match in
        Target(kind: match.output.1, body: Self.balanced(code[match.range.upperBound...]))
      }
  }

  /// The text up to the parenthesis or bracket that closes what is open at its beginning.
  static func balanced(_ text: Substring) -> Substring {
    var depth = 1
    var index = text.startIndex
    while index < text.endIndex {
      if "([".contains(text[index]) { depth += 1 }
      if ")]".contains(text[index]) { depth -= 1 }
      if depth == 0 { break }
      index = text.index(after: index)
    }
    return text[..<index]
  }
}

extension Target {
  fileprivate init?(kind: Substring, body: Substring) {
    guard let name = body.firstMatch(of: /name: "([^"]+)"/) else { return nil }
    self.name = String(name.output.1)
    let path = body.firstMatch(of: /\bpath: "([^"]+)"/).map { String($0.output.1) }
    folder = path ?? (kind == "testTarget" ? "Tests/" : "Sources/") + self.name
    dependencies = []
    guard let list = body.firstRange(of: "dependencies: [") else { return }
    let written = Manifest.balanced(body[list.upperBound...])
    let products = written.matches(of: /\.product\(name: "([^"]+)"[^)]*\)/)
    dependencies = Set(products.map { String($0.output.1) })
    let targets = written.replacing(/\.product\([^)]*\)/, with: "")
    dependencies.formUnion(targets.matches(of: /"([^"]+)"/).map { String($0.output.1) })
  }
}
