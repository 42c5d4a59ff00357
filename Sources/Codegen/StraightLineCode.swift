/// Straight-line code of a network: the text behind the constants in `kernels.S`.
///
/// It goes through the assembler, not the optimiser, which would take half a minute for fifty thousand nonzeros
/// where the assembler takes half a second.
public struct StraightLineCode: Sendable {
  /// The instructions, in AT&T syntax; empty if there are none.
  public private(set) var text = ""
  private var layers = 0

  public init() {}

  /// Appends the code of one layer; returns the C expression for its address, and its declaration.
  ///
  /// `blocks` are written one behind the other, each at a multiple of 32 bytes; a table of the distances of
  /// all from the first follows, in `uint32_t`.
  public mutating func append(blocks: [String]) -> (code: String, table: String) {
    let name = "sparsec_code_\(layers)"
    layers += 1
    text += ".section .text.\(name),\"ax\",@progbits\n"
    text += ".globl \(name)\n.hidden \(name)\n.p2align 6\n\(name):\n"
    for (index, block) in blocks.enumerated() {
      text += ".p2align 5\n.L\(name)_\(index):\n"
      text += block
    }
    text += ".section .rodata.\(name),\"a\",@progbits\n"
    text += ".globl \(name)_blocks\n.hidden \(name)_blocks\n.p2align 2\n\(name)_blocks:\n"
    for index in blocks.indices { text += ".long .L\(name)_\(index) - \(name)\n" }
    return (name, name + "_blocks")
  }

  /// Declarations of all layers' code for `net.c`.
  public var declarations: [String] {
    (0..<layers).flatMap { layer in
      [
        "extern const unsigned char sparsec_code_\(layer)[] HIDDEN;",
        "extern const uint32_t sparsec_code_\(layer)_blocks[] HIDDEN;",
      ]
    }
  }
}
