import Foundation
import Testing

/// The C part under the compilers' sanitizers, driven by Networks/stress.c.
struct SanitizerTests {
  /// A compiler with its sanitizer; swift.org's clang links no thread sanitizer, gcc's does.
  struct Build: CustomTestStringConvertible {
    var compiler: String
    var flags: [String]
    var testDescription: String { ([compiler] + flags).joined(separator: " ") }

    /// Whether the compiler is installed with this sanitizer: an empty program links and runs.
    var isThere: Bool {
      let folder = TinyNetwork.folder
      let source = folder.appending(path: "empty.c")
      let program = folder.appending(path: UUID().uuidString).path
      do {
        try Data("int main(void) { return 0; }\n".utf8).write(to: source)
        try TinyNetwork.compile(with: compiler, flags + [source.path, "-o", program])
        return try TinyNetwork.run(program, []).status == 0
      } catch {
        return false
      }
    }
  }

  static let builds = [
    Build(compiler: "clang", flags: []),
    Build(compiler: "gcc", flags: []),
    Build(
      compiler: "clang", flags: ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
    Build(compiler: "gcc", flags: ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
    Build(compiler: "gcc", flags: ["-fsanitize=thread"]),
  ]

  static let installed = builds.filter(\.isThere)

  /// A network without a tail; one with; one whose tail takes few items at a time.
  static let networks = [[], ["-DWITH_TAIL"], ["-DWITH_TAIL", "-DROUND=2"]]

  @Test(
    .enabled(if: installed.contains { !$0.flags.isEmpty }, "no compiler with sanitizers installed"),
    arguments: installed, networks)
  func `runs clean in every mix of threads, items and contexts`(build: Build, network: [String])
    throws
  {
    let program = TinyNetwork.folder.appending(path: UUID().uuidString).path
    let sources = ["tiny.c", "stress.c"].map { TinyNetwork.networks.appending(path: $0).path }
    try TinyNetwork.compile(
      with: build.compiler,
      build.flags + network + ["-g", "-o", program] + sources + TinyNetwork.fixedPart)
    let result = try TinyNetwork.run(program, [])
    #expect(result.status == 0)
    #expect(result.output == "ok\n")
  }

  @Test func `needs nothing but libc, libm and libpthread`() throws {
    let dynamic = try TinyNetwork.run("readelf", ["-d", TinyNetwork.path()])
    try #require(dynamic.status == 0, "readelf is part of every C toolchain")
    let needed = dynamic.output.split(separator: "\n").filter { $0.contains("(NEEDED)") }
      .compactMap { $0.split(separator: "[").last?.dropLast() }
    let allowed: Set<Substring> = [
      "libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2",
    ]
    #expect(allowed.isSuperset(of: needed))
  }

  @Test func `exports the functions of its header and nothing else`() throws {
    let symbols = try TinyNetwork.run("nm", ["-D", "--defined-only", TinyNetwork.path()])
    let exported = Set(
      symbols.output.split(separator: "\n").compactMap { $0.split(separator: " ").last })
    let header = try String(
      contentsOf: TinyNetwork.interface.appending(path: "sparsec.h"), encoding: .utf8)
    let declared = header.matches(of: /(sparsec_\w+)\([^)]*\);/).map(\.output.1)
      .filter { $0 != "sparsec_observer" }
    #expect(declared.count >= 18)
    // Old linkers export their own marks of where the data ends.
    #expect(exported.subtracting(["__bss_start", "_edata", "_end"]) == Set(declared))
  }
}
