import IR

/// Writes where a source stands: numbers and byte strings, one behind the other.
struct SourceStateWriter {
  private(set) var bytes: [UInt8]

  /// - Parameter kind: what sort of source it is; another sort's state is refused.
  init(_ kind: UInt8) { bytes = [kind] }

  mutating func append(_ number: Int) {
    let word = UInt64(bitPattern: Int64(number))
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(shift)))) }
  }

  mutating func append(_ string: [UInt8]) {
    append(string.count)
    bytes += string
  }
}

/// Reads what `SourceStateWriter` wrote; nil at what it cannot have written.
struct SourceStateReader {
  private var rest: ArraySlice<UInt8>

  init?(_ bytes: [UInt8], _ kind: UInt8) {
    guard bytes.first == kind else { return nil }
    rest = bytes.dropFirst()
  }

  mutating func number() -> Int? {
    guard rest.count >= 8 else { return nil }
    defer { rest = rest.dropFirst(8) }
    let word = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(Int64(bitPattern: word))
  }

  /// A number of a range.
  mutating func number(in range: Range<Int>) -> Int? {
    number().flatMap { range.contains($0) ? $0 : nil }
  }

  mutating func string() -> [UInt8]? {
    guard let count = number(), (0...rest.count).contains(count) else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func random() -> RandomSource? { string().flatMap { RandomSource(bytes: $0) } }

  /// Whether nothing is left.
  var isAtEnd: Bool { rest.isEmpty }
}
