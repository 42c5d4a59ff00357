import Codegen
import Foundation
import Testing

struct AssemblerTests {
  @Test func `good text becomes an object file for x86-64`() throws {
    try withObject { path in
      try Assembler.assemble(
        ".text\n.globl answer\nanswer:\n  movl $42, %eax\n  ret\n", to: path)
      let bytes = try Data(contentsOf: URL(filePath: path))
      try #require(bytes.count > 64)
      #expect(Array(bytes[0..<4]) == [0x7f, 0x45, 0x4c, 0x46])
      // ELF header: type 1 is relocatable, machine 62 is x86-64.
      #expect(bytes[16] == 1 && bytes[18] == 62)
      // movl $42, %eax; ret
      #expect(bytes.range(of: Data([0xb8, 42, 0, 0, 0, 0xc3])) != nil)
      #expect(bytes.range(of: Data("answer".utf8)) != nil)
    }
  }

  @Test func `vector instructions of all targets are known`() throws {
    try withObject { path in
      try Assembler.assemble(
        "vfmadd231ps %ymm1, %ymm2, %ymm3\nvfmadd231ps (%rdi){1to16}, %zmm1, %zmm31\n", to: path)
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func `equal texts become equal objects`() throws {
    let objects = try (0..<2).map { _ in
      try withObject { path in
        try Assembler.assemble(".data\nx: .quad 1\n", to: path)
        return try Data(contentsOf: URL(filePath: path))
      }
    }
    #expect(objects[0] == objects[1])
  }

  @Test(arguments: ["movq %nowhere, %rax\n", "frobnicate\n", ".incbin \"no such file\"\n"])
  func `bad text is an error with a message`(text: String) throws {
    try withObject { path in
      let error = #expect(throws: AssemblerError.self) { try Assembler.assemble(text, to: path) }
      #expect(error?.description.isEmpty == false)
    }
  }

  @Test func `a folder that is not there is an error`() throws {
    try withObject { path in
      #expect(throws: AssemblerError.self) {
        try Assembler.assemble("ret\n", to: path + "/not/there.o")
      }
    }
  }

  @Test func `an error leaves the assembler working`() throws {
    try withObject { path in
      #expect(throws: AssemblerError.self) { try Assembler.assemble("frobnicate\n", to: path) }
      try Assembler.assemble("ret\n", to: path)
    }
  }

  @discardableResult
  private func withObject<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "sparsec-test-" + UUID().uuidString + ".o"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }
}
