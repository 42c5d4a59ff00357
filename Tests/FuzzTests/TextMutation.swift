import TestSupport

/// Damage to the words of a prototxt that leaves most of it a prototxt, so that it gets far.
enum TextMutation: CaseIterable {
  case replaceNumber, replaceString, removeWord, duplicateWord, swapWords, insertWord
  case removeLines, duplicateLines, spliceLines

  /// Damages a text once or a few times; `other` is another text to splice from.
  static func damage(
    _ bytes: [UInt8], other: [UInt8], using random: inout SeededGenerator
  ) -> [UInt8] {
    var words = words(of: bytes)
    let spare = self.words(of: other)
    for _ in 0..<random.pick([1, 1, 2, 2, 3, 6]) {
      guard !words.isEmpty else { break }
      random.pick(allCases).apply(to: &words, other: spare, using: &random)
    }
    return Array(words.joined())
  }

  private func apply(
    to words: inout [[UInt8]], other: [[UInt8]], using random: inout SeededGenerator
  ) {
    let at = random.integer(0...words.count - 1)
    switch self {
    case .replaceNumber:
      guard let place = Self.place(from: at, in: words, where: Self.isNumber) else { return }
      words[place] = Array(random.pick(Self.numbers).utf8)
    case .replaceString:
      guard let place = Self.place(from: at, in: words, where: Self.isString) else { return }
      let strings = (words + other).filter(Self.isString)
      words[place] =
        random.chance(0.5) ? random.pick(strings) : Array(random.pick(Self.strings).utf8)
    case .removeWord: words.remove(at: at)
    case .duplicateWord: words.insert(words[at], at: random.integer(0...words.count))
    case .swapWords: words.swapAt(at, random.integer(0...words.count - 1))
    case .insertWord: words.insert(Array(random.pick(Self.strangers).utf8), at: at)
    case .removeLines: words.removeSubrange(Self.run(from: at, in: words, using: &random))
    case .duplicateLines:
      let run = Self.run(from: at, in: words, using: &random)
      words.insert(contentsOf: words[run], at: random.chance(0.5) ? run.upperBound : at)
    case .spliceLines:
      guard !other.isEmpty else { return }
      let from = random.integer(0...other.count - 1)
      let run = Self.run(from: from, in: other, using: &random)
      words.insert(contentsOf: other[run], at: at)
    }
  }

  /// Words and the white space between them; a string with blanks is several words.
  private static func words(of bytes: [UInt8]) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var wasBlank = false
    for byte in bytes {
      let isBlank = byte == 0x20 || byte == 0x0a || byte == 0x09 || byte == 0x0d
      if words.isEmpty || isBlank != wasBlank { words.append([]) }
      words[words.count - 1].append(byte)
      wasBlank = isBlank
    }
    return words
  }

  private static func isNumber(_ word: [UInt8]) -> Bool {
    word.first.map { (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e } ?? false
  }

  private static func isString(_ word: [UInt8]) -> Bool { word.first == 0x22 }

  private static func place(
    from start: Int, in words: [[UInt8]], where fits: ([UInt8]) -> Bool
  ) -> Int? {
    words[start...].firstIndex(where: fits) ?? words[..<start].firstIndex(where: fits)
  }

  private static func run(
    from start: Int, in words: [[UInt8]], using random: inout SeededGenerator
  ) -> Range<Int> {
    start..<min(words.count, start + random.integer(1...random.pick([2, 12, 60, 300])))
  }

  private static let numbers = [
    "0", "1", "2", "3", "7", "64", "1000", "65536", "-1", "-2", "2147483647", "-2147483648",
    "2147483648", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808",
    "18446744073709551615", "18446744073709551616", "10000000000", "3000000000", "1e400",
    "-1e38", "1e-46", "nan", "-nan", "inf", "-inf", "0x7fffffff", "0777", "1.5", "1.f", ".5",
    "99999999999999999999999999999999999999999", "536870912", "46341", "3037000500",
  ]

  private static let strings = [
    "\"\"", "\"data\"", "\"a\\nb\"", "\"\\000\\377\"", "'", "\"", "\"x\" \"y\"", "\"\\x\"",
    "\"" + String(repeating: "long", count: 400) + "\"", "\"\u{202e}\u{0301}é\"",
    "\"\\r\\x1b[31m\"",
    "\"Convolution\"", "\"InnerProduct\"", "\"BatchNorm\"", "\"Concat\"", "\"Slice\"",
    "\"Reshape\"", "\"Softmax\"", "\"SPP\"", "\"Crop\"", "\"Embed\"", "\"Input\"", "\"Tile\"",
  ]

  private static let strangers = [
    "{", "}", "<", ">", "[", "]", ":", ";", ",", "#", "\"", "'", "\\", "\u{0}", "\u{feff}", "é",
    "layer {", "layers {", "} }", "type: 4", "type: CONVOLUTION", "phase: TEST", "true", "MAX",
    "input: \"data\"", "input_dim: 9999999999", "param { name: \"w\" }", "axis: -9",
    "include { phase: TRAIN }", "pad: 2000000000", "stride: 0", "group: 0", "dilation: 99999",
    String(repeating: "layer { ", count: 300), "weird_field: 3", "kernel_size: 0",
    "shape { dim: 0 }", "shape { dim: 100000 dim: 100000 dim: 100000 dim: 100000 }",
  ]
}
