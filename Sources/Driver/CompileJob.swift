import Codegen
import Foundation
import IR

/// The processes that turn a build folder into a shared object.
public struct CompileJob: Hashable, Sendable {
  public var clang: Clang
  /// What follows `-march=`.
  public var architecture: String
  /// The folder with `net.c` and its companions.
  public var folder: String

  public init(clang: Clang, architecture: String, folder: String) {
    self.clang = clang
    self.architecture = architecture
    self.folder = folder
  }

  static let common = [
    "-target", "x86_64-unknown-linux-gnu", "-std=c11", "-fPIC", "-fvisibility=hidden", "-Wall",
    "-Wextra", "-Werror",
  ]
  static let networkFlags = ["-O3", "-fno-math-errno", "-fno-trapping-math"]
  // The fixed part refuses CPUs in words, so it must run on all of them.
  static let fixedFlags = ["-O2", "-march=x86-64"]
  static let linkFlags = [
    "-shared", "-fuse-ld=lld", "-Wl,-z,defs", "-Wl,-z,noexecstack", "-Wl,--build-id=none",
    "-Wl,--gc-sections", "-Wl,-s",
  ]
  static let libraries = ["-lm", "-lpthread"]

  /// Compiles the network's own code for the target.
  public var compileNetwork: Job {
    clangJob(
      Self.common + Self.networkFlags + ["-march=\(architecture)", "-c", "net.c", "-o", "net.o"])
  }

  /// Compiles the fixed part for the baseline.
  public var compileFixed: [Job] {
    Prelude.fixedSources.map { source in
      clangJob(
        Self.common + Self.fixedFlags + ["-c", source.name, "-o", Self.object(of: source.name)])
    }
  }

  /// Links all objects into `output`, a path.
  public func link(to output: String) -> Job {
    clangJob(
      ["-target", "x86_64-unknown-linux-gnu"] + Self.linkFlags + ["-o", output] + Self.objects
        + Self.libraries)
  }

  static var objects: [String] {
    ["net.o", "kernels.o"] + Prelude.fixedSources.map { object(of: $0.name) }
  }

  private static func object(of source: String) -> String { source.dropLast(2) + ".o" }

  private func clangJob(_ arguments: [String]) -> Job {
    Job(program: clang.path, arguments: arguments, folder: folder)
  }

  /// A Makefile that does the same as the jobs.
  public func makefile() -> SourceFile {
    let fixed = Prelude.fixedSources.map { Self.object(of: $0.name) }.joined(separator: " ")
    return SourceFile(
      name: "Makefile",
      text: """
        # Rebuilds net.so from the files beside this one.
        CC = clang
        COMMON = \(Self.common.joined(separator: " "))

        net.so: net.o kernels.o \(fixed)
        \t$(CC) \(Self.linkFlags.joined(separator: " ")) -o $@ $^ \(Self.libraries.joined(separator: " "))

        net.o: net.c $(wildcard *.h)
        \t$(CC) $(COMMON) \(Self.networkFlags.joined(separator: " ")) -march=\(architecture) -c $< -o $@

        kernels.o: kernels.S weights.bin manifest.json
        \t$(CC) -c $< -o $@

        # The part that refuses an unsupported CPU in words must run on every CPU.
        \(fixed): %.o: %.c $(wildcard *.h)
        \t$(CC) $(COMMON) \(Self.fixedFlags.joined(separator: " ")) -c $< -o $@

        clean:
        \trm -f *.o net.so

        .PHONY: clean

        """)
  }

  /// Runs everything for a network whose files are in the folder; `output` appears whole or not at all.
  ///
  /// - Parameter code: the network's straight-line code.
  public func run(code: String, to output: String) throws(Diagnostic) {
    do {
      try Assembler.assemble(
        BuildFolder.assembly(code: code, folder: folder), to: folder + "/kernels.o")
    } catch {
      throw .error("the assembler refused the network's constants or code: \(error)")
    }
    for job in [compileNetwork] + compileFixed { try require(job) }
    let replacement = try FileInTheMaking(output)
    try require(link(to: replacement.partial))
    try replacement.finish()
  }

  private func require(_ job: Job) throws(Diagnostic) {
    let result = try ProcessRunner.run(job)
    guard result.status == 0 else {
      let first = result.errors.split(separator: "\n").first { $0.contains("error") }
      throw .error(
        "\(job.commandLine) failed with status \(result.status): \(first ?? "no message")")
    }
  }
}
