/// Writes C text: lines, blocks, indentation. It knows nothing of networks.
public struct CWriter {
  public private(set) var text = ""
  private var depth = 0

  public init() {}

  /// A line at the current indentation; empty text is an empty line.
  public mutating func line(_ text: String = "") {
    if !text.isEmpty { self.text += String(repeating: "  ", count: depth) + text }
    self.text += "\n"
  }

  /// Several lines of text, each at the current indentation.
  public mutating func lines(_ text: String) {
    for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
      line(String(part))
    }
  }

  /// `head {`, what `body` writes, and `}` with `tail`.
  public mutating func block(_ head: String, tail: String = "", _ body: (inout CWriter) -> Void) {
    line("\(head) {")
    depth += 1
    body(&self)
    depth -= 1
    line("}\(tail)")
  }

  /// A comment of one or more lines.
  public mutating func comment(_ text: [String]) {
    let safe = text.map { $0.replacing("*/", with: "* /").replacing("/*", with: "/ *") }
    if safe.count == 1 {
      line("/* \(safe[0]) */")
    } else {
      for (index, part) in safe.enumerated() {
        line((index == 0 ? "/* " : " * ") + part)
      }
      line(" */")
    }
  }
}

/// Text as C source wants it.
public enum CText {
  /// A string literal.
  public static func literal(_ text: String) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "?"):
        result += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7f: result.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let octal = String(byte, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
      }
    }
    return result + "\""
  }

  /// A float literal that reads back as exactly this value.
  public static func literal(_ value: Float) -> String {
    if value.isNaN { return "__builtin_nanf(\"\")" }
    if value.isInfinite { return value < 0 ? "-__builtin_inff()" : "__builtin_inff()" }
    let text = "\(value)"
    return (text.contains(".") || text.contains("e") ? text : text + ".0") + "f"
  }

  /// A C identifier made from a layer's name: other characters become underscores.
  public static func identifier(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
      let isDigit = ("0"..."9").contains(scalar)
      result.unicodeScalars.append(isLetter || isDigit || scalar == "_" ? scalar : "_")
    }
    return result
  }
}
