import Codegen
import Foundation
import TestSupport
import Testing

struct CTextTests {
  @Test(arguments: 0..<4)
  func `a float literal reads back as the same bits`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var patterns = (0..<20_000).map { _ in UInt32(truncatingIfNeeded: random.next()) }
    // Zeros, ones, limits and denormals of both signs.
    let corners: [Float] = [
      0, 1, 0.1, 16_777_216, 16_777_218, .leastNonzeroMagnitude, .leastNormalMagnitude,
      .greatestFiniteMagnitude,
    ]
    patterns += corners.flatMap { [$0.bitPattern, (-$0).bitPattern] }
    for pattern in patterns {
      let value = Float(bitPattern: pattern)
      guard value.isFinite else { continue }
      let literal = CText.literal(value)
      // Without a point or an exponent, C takes the digits for an integer.
      #expect(literal.hasSuffix("f") && literal.contains { $0 == "." || $0 == "e" })
      #expect(strtof(String(literal.dropLast()), nil).bitPattern == pattern, "\(literal)")
    }
  }

  @Test func `what is no number has the compiler's word for it`() {
    #expect(CText.literal(Float.infinity) == "__builtin_inff()")
    #expect(CText.literal(-Float.infinity) == "-__builtin_inff()")
    #expect(CText.literal(Float.nan) == "__builtin_nanf(\"\")")
  }

  @Test func `a string literal reads back as the same bytes`() throws {
    var random = SeededGenerator(seed: 7)
    let alphabet = Array("ab09 \"\\?\n\r\t\0/*ä😀%\u{7f}".unicodeScalars)
    for _ in 0..<2000 {
      var text = ""
      for _ in 0..<random.integer(0...12) { text.unicodeScalars.append(random.pick(alphabet)) }
      let literal = CText.literal(text)
      #expect(literal.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
      #expect(!literal.contains("??"), "a trigraph")
      #expect(try bytes(of: literal) == Array(text.utf8))
    }
  }

  @Test func `an octal escape does not swallow the digit behind it`() {
    #expect(CText.literal("\u{1}7") == "\"\\0017\"")
    #expect(CText.literal("a\"b\\c") == "\"a\\\"b\\\\c\"")
  }

  @Test func `a layer's name becomes letters, digits and underscores`() {
    #expect(CText.identifier("conv1/7x7_s2") == "conv1_7x7_s2")
    #expect(CText.identifier("über-layer 3") == "_ber_layer_3")
    #expect(CText.identifier("") == "")
    var random = SeededGenerator(seed: 8)
    for _ in 0..<500 {
      var name = ""
      for _ in 0..<8 {
        let scalar = UnicodeScalar(UInt32(random.integer(0...0x2ff))) ?? " "
        name.unicodeScalars.append(scalar)
      }
      let identifier = CText.identifier(name)
      #expect(identifier.unicodeScalars.count == name.unicodeScalars.count)
      let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_".utf8)
      #expect(identifier.utf8.allSatisfy { allowed.contains($0) })
    }
  }

  /// The bytes of a C string literal, by the rules of C.
  private func bytes(of literal: String) throws -> [UInt8] {
    let source = Array(literal.utf8)
    try #require(source.count >= 2 && source.first == 0x22 && source.last == 0x22)
    var result: [UInt8] = []
    var index = 1
    while index < source.count - 1 {
      if source[index] != UInt8(ascii: "\\") {
        result.append(source[index])
        index += 1
        continue
      }
      var digits = ""
      while digits.count < 3, (0x30...0x37).contains(source[index + 1 + digits.utf8.count]) {
        digits.unicodeScalars.append(UnicodeScalar(source[index + 1 + digits.utf8.count]))
      }
      if digits.isEmpty {
        try #require([0x22, 0x5c, 0x3f].contains(source[index + 1]))
        result.append(source[index + 1])
        index += 2
      } else {
        result.append(try #require(UInt8(digits, radix: 8)))
        index += 1 + digits.utf8.count
      }
    }
    return result
  }
}
