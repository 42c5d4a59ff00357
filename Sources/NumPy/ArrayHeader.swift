/// The head of an `.npy` file (NumPy Enhancement Proposal 1; versions 1.0 to 3.0).
struct ArrayHeader: Equatable {
  let type: ElementType
  let fortranOrder: Bool
  let shape: [Int]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy's own limit of axes.
  static let axisLimit = 64

  /// Reads the head; the stream then stands at the first element.
  init(_ stream: any ByteStream) throws(Flaw) {
    guard stream.remaining >= 10 else { throw Flaw("not a NumPy array: too short") }
    let start = try stream.bytes(8)
    guard start.starts(with: Self.magic) else {
      throw Flaw("not a NumPy array: it does not begin with \\x93NUMPY")
    }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw Flaw("version \(start[6]).\(start[7]) of the NumPy format is unknown (1.0 to 3.0 are)")
    }
    let length = try stream.bytes(start[6] == 1 ? 2 : 4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= 1 << 20 else { throw Flaw("a header of \(length) bytes is not plausible") }
    var parser = HeaderParser(text: try stream.bytes(length))
    (type, fortranOrder, shape) = try parser.parse()
  }

  /// The head that NumPy itself writes for a C-ordered float32 array, elements at a multiple of 64.
  static func bytes(shape: [Int]) -> [UInt8] {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    // NumPy leaves room for the first extent to become as long as 64 bits allow, 21 digits.
    let growth = shape.first.map { 21 - String($0).utf8.count } ?? 0
    let text = dictionary + String(repeating: " ", count: growth)
    let unpadded = magic.count + 4 + text.utf8.count + 1
    let padding = (64 - unpadded % 64) % 64
    let length = text.utf8.count + padding + 1
    precondition(length <= UInt16.max, "the text of a shape fits a version 1.0 header")
    return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
      + Array(repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
  }
}

/// Reads the Python dictionary of a head, as far as NumPy writes it.
private struct HeaderParser {
  let text: [UInt8]
  private var position = 0

  init(text: [UInt8]) { self.text = text }

  mutating func parse() throws(Flaw) -> (ElementType, fortranOrder: Bool, shape: [Int]) {
    var type: ElementType?
    var fortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !accept("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr":
        if next == UInt8(ascii: "[") {
          throw Flaw("it holds records; save one field with astype('float32')")
        }
        type = try ElementType(descriptor: string())
      case "fortran_order": fortranOrder = try boolean()
      case "shape": shape = try tuple()
      default: throw Flaw("unknown entry '\(key)' in the NumPy header")
      }
      if !accept(",") && next != UInt8(ascii: "}") { throw malformed }
    }
    guard next == nil else { throw malformed }
    guard let type, let fortranOrder, let shape else {
      throw Flaw("the NumPy header lacks descr, fortran_order or shape")
    }
    return (type, fortranOrder, shape)
  }

  private var malformed: Flaw { Flaw("the NumPy header is malformed at byte \(position)") }

  /// The next byte that is no blank, if any.
  private var next: UInt8? {
    mutating get {
      while position < text.count, " \t\n\r".utf8.contains(text[position]) { position += 1 }
      return position < text.count ? text[position] : nil
    }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Flaw) {
    guard accept(character) else { throw malformed }
  }

  private mutating func string() throws(Flaw) -> String {
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw malformed
    }
    let rest = text[(position + 1)...].prefix(40)
    guard let end = rest.firstIndex(of: quote) else { throw malformed }
    let content = text[position + 1..<end]
    guard content.allSatisfy({ (0x20..<0x7F).contains($0) }) else { throw malformed }
    position = end + 1
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func boolean() throws(Flaw) -> Bool {
    guard next != nil else { throw malformed }
    for (word, value) in [("True", true), ("False", false)]
    where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw malformed
  }

  private mutating func tuple() throws(Flaw) -> [Int] {
    var extents: [Int] = []
    try expect("(")
    while !accept(")") {
      guard extents.count < ArrayHeader.axisLimit else {
        throw Flaw("more than \(ArrayHeader.axisLimit) axes")
      }
      extents.append(try number())
      if !accept(",") && next != UInt8(ascii: ")") { throw malformed }
    }
    return extents
  }

  private mutating func number() throws(Flaw) -> Int {
    guard next != nil else { throw malformed }
    let digits = text[position...].prefix { (0x30...0x39).contains($0) }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw malformed }
    position = digits.endIndex
    // Python 2 wrote long integers with a letter behind them.
    if next == UInt8(ascii: "L") { position += 1 }
    return value
  }
}
