import IR

/// A piece of protobuf text.
struct Token {
  enum Kind: Equatable {
    case identifier
    /// Digits, perhaps hexadecimal or octal, without a sign.
    case integer
    /// A number with a point, an exponent or the suffix `f`.
    case decimal
    case string
    case symbol(Character)
    case end
  }

  var kind: Kind
  /// Where the token lies in the bytes of the file.
  var range: Range<Int>
  var position: TextMessage.Position
}

/// Cuts protobuf text into tokens; whitespace and comments vanish.
///
/// Any bytes may come in: what is no protobuf text is an error with a place. Comments may hold
/// anything, in any encoding.
struct Lexer {
  let bytes: [UInt8]
  let file: String
  private var offset: Int
  private var position = TextMessage.Position(line: 1, column: 1)

  init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
    // A byte order mark is no content.
    offset = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// The text of an identifier or a number, which is ASCII.
  func text(_ token: Token) -> String { String(decoding: bytes[token.range], as: UTF8.self) }

  /// The token as an error message names it.
  func described(_ token: Token) -> String {
    switch token.kind {
    case .end: "the end of the file"
    case .string: "a string"
    case .symbol(let character): "\"\(character)\""
    case .identifier, .integer, .decimal: Spelling.quoted(text(token))
    }
  }

  func error(_ message: String, at position: TextMessage.Position) -> Diagnostic {
    .error(
      message,
      at: SourceLocation(file: file, line: Int(position.line), column: Int(position.column)))
  }

  private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func advance() {
    let byte = bytes[offset]
    offset += 1
    if byte == UInt8(ascii: "\n") {
      position.line += 1
      position.column = 1
    } else if byte & 0xC0 != 0x80 {
      // Columns count characters: the continuation bytes of UTF-8 are no columns.
      position.column += 1
    }
  }

  /// The next token; `.end` again and again after the last.
  mutating func next() throws(Diagnostic) -> Token {
    skipBlanks()
    let start = offset
    let place = position
    guard let byte = current else {
      return Token(kind: .end, range: start..<start, position: place)
    }
    let kind: Token.Kind
    if byte.startsIdentifier {
      while let byte = current, byte.startsIdentifier || byte.isDigit { advance() }
      kind = .identifier
    } else if byte.isDigit || (byte == UInt8(ascii: ".") && following.isDigit) {
      kind = try number(from: place)
    } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
      try skipString(quote: byte, from: place)
      kind = .string
    } else if "{}<>[]:;,-.".utf8.contains(byte) {
      advance()
      kind = .symbol(Character(Unicode.Scalar(byte)))
    } else {
      let hint = byte < 0x20 ? "; is this a binary file?" : ""
      throw error("\(Self.named(byte)) is no part of a prototxt\(hint)", at: place)
    }
    return Token(kind: kind, range: start..<offset, position: place)
  }

  private var following: UInt8 { offset + 1 < bytes.count ? bytes[offset + 1] : 0 }

  private static func named(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    let hex = digits.count == 1 ? "0" + digits : digits
    return 0x20...0x7E ~= byte
      ? "the character \"\(Character(Unicode.Scalar(byte)))\"" : "the byte 0x\(hex)"
  }

  private mutating func skipBlanks() {
    while let byte = current {
      if byte == UInt8(ascii: "#") {
        while let byte = current, byte != UInt8(ascii: "\n") { advance() }
      } else if byte == 0x20 || 0x09...0x0D ~= byte {
        advance()
      } else {
        return
      }
    }
  }

  private mutating func number(from place: TextMessage.Position) throws(Diagnostic) -> Token.Kind {
    var kind = Token.Kind.integer
    if current == UInt8(ascii: "0"), following | 0x20 == UInt8(ascii: "x") {
      advance()
      advance()
      while current?.isHexDigit == true { advance() }
    } else {
      while current?.isDigit == true { advance() }
      if current == UInt8(ascii: ".") {
        kind = .decimal
        advance()
        while current?.isDigit == true { advance() }
      }
      if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
        kind = .decimal
        advance()
        if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { advance() }
        guard current?.isDigit == true else {
          throw error("a number whose exponent has no digits", at: place)
        }
        while current?.isDigit == true { advance() }
      }
      if let byte = current, byte | 0x20 == UInt8(ascii: "f") {
        kind = .decimal
        advance()
      }
    }
    if let byte = current, byte.startsIdentifier || byte.isDigit || byte == UInt8(ascii: ".") {
      throw error("a malformed number; put a space behind a number that ends here", at: place)
    }
    return kind
  }

  private mutating func skipString(quote: UInt8, from place: TextMessage.Position)
    throws(Diagnostic)
  {
    advance()
    while let byte = current, byte != UInt8(ascii: "\n") {
      advance()
      if byte == quote { return }
      if byte == UInt8(ascii: "\\"), current != nil, current != UInt8(ascii: "\n") { advance() }
    }
    throw error("a string that is not closed on its line; a quote is missing", at: place)
  }
}

extension UInt8 {
  var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }

  var isHexDigit: Bool {
    isDigit || UInt8(ascii: "a")...UInt8(ascii: "f") ~= self | 0x20
  }

  var isOctalDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "7") ~= self }

  var startsIdentifier: Bool {
    UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 || self == UInt8(ascii: "_")
  }
}
