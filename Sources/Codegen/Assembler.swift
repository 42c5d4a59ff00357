import CAssembler

/// The assembler refused its input; a bug of ours, or no room on the disk.
public struct AssemblerError: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String
}

/// LLVM's assembler, in process.
public enum Assembler {
  /// Assembles text into a position-independent x86-64 object file at `path`.
  public static func assemble(_ text: String, to path: String) throws(AssemblerError) {
    var message = [CChar](repeating: 0, count: 1024)
    let failed = message.withUnsafeMutableBufferPointer { buffer in
      sparsec_assemble(text, text.utf8.count, path, buffer.baseAddress, buffer.count)
    }
    guard failed == 0 else {
      let end = message.firstIndex(of: 0) ?? message.endIndex
      let text = String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw AssemblerError(description: text)
    }
  }
}
