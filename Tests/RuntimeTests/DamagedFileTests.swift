import Foundation
import Testing

@testable import SparsecRuntime

/// A damaged file is refused in words. That nothing crashes is part of each test: a crash ends it.
struct DamagedFileTests {
  /// Writes the bytes to a new file, opens it, and runs it if it opens.
  ///
  /// A new name each time: the dynamic linker knows open files by their identity.
  private func open(_ bytes: Data) throws -> LoadError? {
    let path = TinyNetwork.folder.appending(path: UUID().uuidString + ".so")
    try bytes.write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    do {
      var context = try Model(path: path.path).makeContext()
      let inputs = TinyNetwork.inputs(items: 1)
      #expect(try context.run(inputs: inputs)[0] == TinyNetwork.expected(inputs, item: 0).scores)
      return nil
    } catch let error as LoadError {
      #expect(!error.description.contains("\n"))
      return error
    }
  }
  /// Each linker lays files out in its own way.
  static let linkers = ["lld", "gold", "bfd"].filter {
    (try? TinyNetwork.run("ld.\($0)", ["--version"]))?.status == 0
  }

  private func sound(_ linker: String) throws -> Data {
    let path = try TinyNetwork.path("-fuse-ld=\(linker)")
    return try Data(contentsOf: URL(filePath: path))
  }

  @Test func `some linker is there`() {
    #expect(!Self.linkers.isEmpty)
  }

  @Test(arguments: linkers)
  func `opens what a linker wrote, with and without its symbols`(linker: String) throws {
    #expect(try open(sound(linker)) == nil)
    let path = try TinyNetwork.path("-fuse-ld=\(linker)", "-s")
    #expect(try open(Data(contentsOf: URL(filePath: path))) == nil)
  }

  @Test(arguments: linkers)
  func `refuses a file cut short anywhere`(linker: String) throws {
    let bytes = try sound(linker)
    for length in Array(0..<1100) + stride(from: 1100, to: bytes.count, by: 61) {
      let error = try open(bytes.prefix(length))
      switch error {
      case .notASharedObject where length < 4: break
      case .damaged where length >= 4: break
      default: Issue.record("\(length) of \(bytes.count) bytes: \(String(describing: error))")
      }
    }
  }

  @Test(arguments: linkers.prefix(1))
  func `survives every changed bit of the file header and the segment table`(linker: String) throws
  {
    let bytes = try sound(linker)
    let end = 64 + 56 * Int(bytes[56])
    var refused = 0
    for bit in 0..<end * 8 {
      var changed = bytes
      changed[bit / 8] ^= 1 << (bit % 8)
      if try open(changed) != nil { refused += 1 }
    }
    // The rest is what nobody reads: physical addresses, the processor's flags, reserved bytes.
    #expect(refused > end * 8 / 2)
  }

  @Test(arguments: linkers)
  func `survives random bytes in its headers`(linker: String) throws {
    let bytes = try sound(linker)
    let sections = bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    var random = SplitMix64(state: 2016)
    for _ in 0..<500 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<64 + 56 * Int(bytes[56]), using: &random)
        let section = Int.random(in: sections..<bytes.count, using: &random)
        changed[Bool.random(using: &random) ? place : section] = .random(in: 0...255)
      }
      _ = try open(changed)
    }
  }

  @Test func `says what else a file is`() throws {
    let cases: [(Data, String)] = [
      (Data(), "the file is empty"),
      (Data("name: \"LeNet\"\n".utf8), "not an ELF file"),
      (Data([0x7f, 0x45, 0x4c, 0x46]), "it ends inside its header"),
      (try Data(contentsOf: URL(filePath: "/proc/self/exe")), "no shared object"),
    ]
    for (bytes, reason) in cases {
      let error = try #require(try open(bytes))
      #expect(error.description.contains(reason) || error.description.contains("refused"))
    }
    var other = try sound(#require(Self.linkers.first))
    other[18] = 183
    #expect(try open(other)?.description.contains("another kind of machine") == true)
  }

  @Test func `names a path that cannot be read`() throws {
    let folder = TinyNetwork.folder.path
    #expect(throws: LoadError.unreadable(path: folder, reason: "not a regular file")) {
      try Model(path: folder)
    }
    #expect(
      throws: LoadError.unreadable(path: "no/such.so", reason: "No such file or directory")
    ) { try Model(path: "no/such.so") }
    let pipe = TinyNetwork.folder.appending(path: "pipe").path
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(throws: LoadError.unreadable(path: pipe, reason: "not a regular file")) {
      try Model(path: pipe)
    }
  }

  @Test func `refuses shared objects that are no networks of this version`() throws {
    let other = try TinyNetwork.foreign("other.so", visible("int sparsec_size(void) { return 1; }"))
    #expect(
      throws: LoadError.notANetwork(path: other, reason: "it has no function sparsec_abi_version")
    ) { try Model(path: other) }
    let newer = try TinyNetwork.foreign(
      "newer.so", visible("int sparsec_abi_version(void) { return 99; }"))
    #expect(throws: LoadError.otherVersion(path: newer, found: 99, expected: 1)) {
      try Model(path: newer)
    }
    let bare = try TinyNetwork.foreign(
      "bare.so", visible("int sparsec_abi_version(void) { return 1; }"))
    #expect(
      throws: LoadError.notANetwork(path: bare, reason: "it has no function sparsec_describe")
    ) {
      try Model(path: bare)
    }
    let needy = try TinyNetwork.foreign(
      "needy.so", visible("int absent(void);\nint present(void) { return absent(); }"))
    let error = #expect(throws: LoadError.self) { try Model(path: needy) }
    guard case .refused(_, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("absent"))
  }

  private func visible(_ source: String) -> String {
    "#pragma GCC visibility push(default)\n\(source)\n"
  }
}

/// Sebastiano Vigna's SplitMix64: the same damage in every run.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
