import Codegen
import Foundation
import IR

/// The C compiler that turns emitted text into a network.
public struct Clang: Hashable, Sendable {
  public var path: String

  public init(path: String) { self.path = path }

  /// The clang of the environment variable SPARSEC_CLANG, or the one on the search path: the Swift toolchain has
  /// one.
  public static func find() throws(Diagnostic) -> Clang {
    if let named = ProcessInfo.processInfo.environment["SPARSEC_CLANG"], !named.isEmpty {
      guard let path = named.contains("/") ? named : ProcessRunner.find(named),
        FileManager.default.isExecutableFile(atPath: path)
      else { throw .error("SPARSEC_CLANG names \(named), which is not a program") }
      return Clang(path: path)
    }
    guard let path = ProcessRunner.find("clang") else {
      throw .error(
        "there is no clang on the search path; install it, or set SPARSEC_CLANG to the one "
          + "of the Swift toolchain")
    }
    return Clang(path: path)
  }

  /// Asks the compiler what `-march=NAME` means.
  public func target(named name: String) throws(Diagnostic) -> Target {
    let valid = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
    guard valid, !name.isEmpty, !name.hasPrefix("-") else {
      throw .error("--target \(name): not the name of a CPU")
    }
    let macros = try ProcessRunner.run(
      Job(
        program: path,
        arguments: ["-target", "x86_64-unknown-linux-gnu", "-march=\(name)", "-E", "-dM"]
          + ["-x", "c", "/dev/null"]))
    guard macros.status == 0 else { throw unknownTarget(name, macros.errors) }
    let defined = Set(
      macros.output.split(separator: "\n").compactMap { line in
        line.split(separator: " ").dropFirst().first.map(String.init)
      })
    let lanes = defined.contains("__AVX512F__") ? 16 : defined.contains("__AVX__") ? 8 : 4
    let caches = name == "native" ? CacheSizes.ofThisMachine : nil
    return Target(
      architecture: try resolvedName(name), lanes: lanes,
      multiplyAddsPerCycle: defined.contains("__FMA__") ? 2 : 1,
      level1Bytes: caches?.level1 ?? 32 << 10, level2Bytes: caches?.level2 ?? 512 << 10)
  }

  private func unknownTarget(_ name: String, _ errors: String) -> Diagnostic {
    let marker = "valid target CPU values are: "
    guard let range = errors.firstRange(of: marker) else {
      return .error("--target \(name): \(errors.split(separator: "\n").first ?? "refused")")
    }
    let list = errors[range.upperBound...].split(separator: "\n").first ?? ""
    return .error("--target \(name): clang knows no such CPU; it knows native, \(list)")
  }

  /// The CPU's own name behind `native`.
  private func resolvedName(_ name: String) throws(Diagnostic) -> String {
    guard name == "native" else { return name }
    let verbose = try ProcessRunner.run(
      Job(program: path, arguments: ["-march=native", "-###", "-c", "-x", "c", "/dev/null"]))
    let words = verbose.errors.split(separator: " ").map { $0.filter { $0 != "\"" } }
    guard let place = words.firstIndex(of: "-target-cpu"), place + 1 < words.count else {
      return name
    }
    return String(words[place + 1])
  }
}

/// Sizes of the data caches of one core, in bytes.
struct CacheSizes {
  var level1: Int
  var level2: Int

  /// What the system says about this machine; nil if it says nothing.
  static var ofThisMachine: CacheSizes? {
    let folder = "/sys/devices/system/cpu/cpu0/cache"
    var sizes: [Int: Int] = [:]
    for index in 0..<8 {
      func read(_ name: String) -> String? {
        let text = try? String(contentsOfFile: "\(folder)/index\(index)/\(name)", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      guard let type = read("type"), type != "Instruction",
        let level = read("level").flatMap(Int.init), let size = read("size"),
        size.hasSuffix("K"), let kilobytes = Int(size.dropLast())
      else { continue }
      sizes[level] = kilobytes << 10
    }
    guard let level1 = sizes[1], let level2 = sizes[2] else { return nil }
    return CacheSizes(level1: level1, level2: level2)
  }
}
