import IR

extension Lexer {
  /// The bytes that a string token stands for, its escapes replaced.
  func contents(of token: Token) throws(Diagnostic) -> [UInt8] {
    let body = bytes[token.range].dropFirst().dropLast()
    var result: [UInt8] = []
    result.reserveCapacity(body.count)
    var rest = body
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard let kind = rest.popFirst() else { break }
      switch kind {
      case UInt8(ascii: "a"): result.append(0x07)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "v"): result.append(0x0B)
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"):
        result.append(kind)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        rest = bytes[(rest.startIndex - 1)..<rest.endIndex]
        let digits = rest.prefix(3).prefix { $0.isOctalDigit }
        rest = rest.dropFirst(digits.count)
        result.append(UInt8(try code(digits, radix: 8, atMost: 0xFF, in: token)))
      case UInt8(ascii: "x"), UInt8(ascii: "X"):
        let digits = rest.prefix(2).prefix { $0.isHexDigit }
        rest = rest.dropFirst(digits.count)
        result.append(UInt8(try code(digits, radix: 16, atMost: 0xFF, in: token)))
      case UInt8(ascii: "u"), UInt8(ascii: "U"):
        let length = kind == UInt8(ascii: "u") ? 4 : 8
        let digits = rest.prefix(length).prefix { $0.isHexDigit }
        rest = rest.dropFirst(digits.count)
        let value = try code(digits, radix: 16, atMost: 0x10FFFF, in: token)
        guard digits.count == length, let scalar = Unicode.Scalar(value) else {
          throw error("a string with a broken \\u escape", at: token.position)
        }
        result.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
      default:
        let shown = Unicode.Scalar(kind).escaped(asASCII: true)
        throw error(
          "a string with the unknown escape \"\\\(shown)\"; write \\\\ for a backslash",
          at: token.position)
      }
    }
    return result
  }

  private func code(_ digits: ArraySlice<UInt8>, radix: Int, atMost limit: UInt32, in token: Token)
    throws(Diagnostic) -> UInt32
  {
    guard let value = UInt32(String(decoding: digits, as: UTF8.self), radix: radix),
      value <= limit
    else { throw error("a string with a broken numeric escape", at: token.position) }
    return value
  }

  /// The value of an integer token: decimal, 0x… or octal with a leading 0; nil if over 64 bits.
  func magnitude(of token: Token) throws(Diagnostic) -> UInt64? {
    let digits = text(token)
    if digits.count > 1, digits.hasPrefix("0") {
      let isHex = digits.dropFirst().hasPrefix("x") || digits.dropFirst().hasPrefix("X")
      let body = digits.dropFirst(isHex ? 2 : 1)
      guard body.utf8.allSatisfy({ isHex ? $0.isHexDigit : $0.isOctalDigit }), !body.isEmpty else {
        throw error(
          "\(Spelling.quoted(digits)) is no \(isHex ? "hexadecimal" : "octal") number",
          at: token.position)
      }
      return UInt64(body, radix: isHex ? 16 : 8)
    }
    return UInt64(digits)
  }

  /// The value of a number token where a float is wanted.
  func decimal(of token: Token) throws(Diagnostic) -> Double {
    var digits = text(token)
    let isDecimal = token.kind == .decimal
    if !isDecimal, digits.count > 1, digits.hasPrefix("0") {
      throw error(
        "\(Spelling.quoted(digits)) where a float is expected; write it without a leading zero",
        at: token.position)
    }
    if isDecimal, digits.hasSuffix("f") || digits.hasSuffix("F") { digits.removeLast() }
    if digits.hasSuffix(".") { digits.removeLast() }
    guard let value = Double(digits) else {
      throw error("\(Spelling.quoted(digits)) is no number", at: token.position)
    }
    return value
  }
}
