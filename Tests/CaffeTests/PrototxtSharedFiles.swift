import Foundation

/// The published prototxt files of four repositories, which lie beside the checkout.
enum SharedFiles {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("shared")

  static let areThere = FileManager.default.fileExists(
    atPath: root.appendingPathComponent("models/prototxt/README.md").path)

  /// All prototxt files below a folder of `shared`, as sorted paths relative to it.
  static func prototxts(in folder: String) -> [String] {
    let base = root.appendingPathComponent(folder)
    guard
      let found = FileManager.default.enumerator(atPath: base.path)?.allObjects as? [String]
    else { return [] }
    return found.filter { $0.hasSuffix(".prototxt") }.sorted()
  }

  static func path(_ folder: String, _ file: String) -> String {
    root.appendingPathComponent(folder).appendingPathComponent(file).path
  }
}

/// A small generator with a seed, so that a failing case can be run again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
