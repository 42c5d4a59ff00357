import TestSupport

/// Damage to the bytes of a file: what disks, networks, editors and attackers do.
enum ByteMutation: CaseIterable {
  case flipBit, setByte, setExtreme, truncate, remove, duplicate, insert, overwrite, splice
  case extremeVarint

  /// Damages `bytes` once or a few times; `other` is another file of the same kind to splice from.
  static func damage(
    _ bytes: [UInt8], other: [UInt8], using random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<random.pick([1, 1, 1, 2, 2, 3, 5, 9]) {
      random.pick(allCases).apply(to: &bytes, other: other, using: &random)
    }
    return bytes
  }

  private func apply(
    to bytes: inout [UInt8], other: [UInt8], using random: inout SeededGenerator
  ) {
    guard !bytes.isEmpty else {
      bytes.append(UInt8.random(in: 0...255, using: &random))
      return
    }
    let at = random.integer(0...bytes.count - 1)
    let range = at..<min(bytes.count, at + Self.length(using: &random))
    switch self {
    case .flipBit: bytes[at] ^= 1 << UInt8(random.integer(0...7))
    case .setByte: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case .setExtreme: bytes[at] = random.pick([0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff])
    case .truncate: bytes.removeSubrange(at...)
    case .remove: bytes.removeSubrange(range)
    case .duplicate: bytes.insert(contentsOf: bytes[range], at: random.integer(0...bytes.count))
    case .insert:
      let made = range.map { _ in UInt8.random(in: 0...255, using: &random) }
      bytes.insert(contentsOf: made, at: at)
    case .overwrite:
      let value: UInt8 = random.pick([0x00, 0x20, 0xff, bytes[at]])
      for index in range { bytes[index] = value }
    case .splice:
      guard !other.isEmpty else { return }
      let from = random.integer(0...other.count - 1)
      let end = min(other.count, from + Self.length(using: &random))
      if random.chance(0.5) {
        bytes.replaceSubrange(range, with: other[from..<end])
      } else {
        bytes.replaceSubrange(at..., with: other[from...])
      }
    case .extremeVarint: bytes.replaceSubrange(range.prefix(1), with: random.pick(Self.varints))
    }
  }

  /// Mostly short, sometimes long.
  private static func length(using random: inout SeededGenerator) -> Int {
    random.integer(1...random.pick([1, 4, 16, 64, 1024]))
  }

  /// 2^31 - 1, 2^31, -1, 2^63, 2^63 - 1, 2^35, zero in ten bytes, and one that never ends.
  private static let varints: [[UInt8]] = [
    [0xff, 0xff, 0xff, 0xff, 0x07], [0x80, 0x80, 0x80, 0x80, 0x08],
    [UInt8](repeating: 0xff, count: 9) + [0x01], [UInt8](repeating: 0x80, count: 9) + [0x01],
    [UInt8](repeating: 0xff, count: 8) + [0x7f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    [UInt8](repeating: 0x80, count: 9) + [0x00], [UInt8](repeating: 0xff, count: 11),
  ]
}
