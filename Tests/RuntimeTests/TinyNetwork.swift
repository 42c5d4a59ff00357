import Foundation
import Synchronization

/// The network of Networks/tiny.c, compiled as the compiler compiles one, in variants.
enum TinyNetwork {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  static let prelude = root.appending(path: "Sources/CPrelude/Prelude")
  static let interface = root.appending(path: "Sources/CSparsec/include")
  static let networks = root.appending(path: "Tests/RuntimeTests/Networks")
  static let fixedPart = ["context.c", "cpu.c", "pool.c", "run.c"].map {
    prelude.appending(path: $0).path
  }
  static let compiler = ProcessInfo.processInfo.environment["CC"] ?? "clang"

  /// Where this run's files lie until it ends.
  static let folder: URL = {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "sparsec-runtime-tests-\(UUID().uuidString)")
    try! FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: TinyNetwork.folder) }
    return folder
  }()

  private static let built = Mutex<[String: String]>([:])

  /// The path of the shared object, compiled with `flags`, once per set of flags.
  static func path(_ flags: String...) throws -> String {
    try built.withLock { built in
      let key = flags.joined(separator: " ")
      if let path = built[key] { return path }
      let path = folder.appending(path: "tiny\(built.count).so").path
      try compile(
        flags + ["-shared", "-o", path, networks.appending(path: "tiny.c").path] + fixedPart)
      built[key] = path
      return path
    }
  }

  /// A shared object of one line of C that is no network.
  static func foreign(_ name: String, _ source: String) throws -> String {
    let path = folder.appending(path: name)
    let file = path.appendingPathExtension("c")
    try Data(source.utf8).write(to: file)
    try compile(["-shared", "-o", path.path, file.path])
    return path.path
  }

  /// Calls a C compiler with the flags of an emitted network; `arguments` follow them.
  static func compile(with compiler: String = compiler, _ arguments: [String]) throws {
    let flags = [
      "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fvisibility=hidden",
      "-pthread", "-I", prelude.path, "-I", interface.path,
    ]
    let result = try run(compiler, flags + arguments)
    if result.status != 0 { throw Failure(text: result.output) }
  }

  struct Failure: Error { var text: String }

  /// Runs a program to its end: its status, and what it printed (both streams).
  static func run(_ program: String, _ arguments: [String]) throws -> (
    status: Int32, output: String
  ) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// Input values for `items` items: small whole numbers, so that every sum is exact.
  static func inputs(items: Int, seed: Int = 0) -> [[Float]] {
    [
      (0..<items * 30).map { Float((seed + 7 * $0) % 23 - 11) },
      (0..<items * 3).map { Float((seed + $0) % 5) },
    ]
  }

  /// What the network computes from them, written down a second time: scaled, features, scores.
  static func expected(_ inputs: [[Float]], item: Int)
    -> (scaled: [Float], features: [Float], scores: [Float])
  {
    let scaled = inputs[0][item * 30..<item * 30 + 30].map { 2 * $0 }
    var features = scaled
    for plane in 0..<2 {
      for y in 0..<3 {
        for x in 0..<5 {
          var sum: Float = 0
          for row in max(y - 1, 0)...min(y + 1, 2) {
            for column in max(x - 1, 0)...min(x + 1, 4) {
              sum += scaled[plane * 15 + row * 5 + column]
            }
          }
          features.append(sum)
        }
      }
    }
    let total = features.reduce(0, +)
    let scores = (0..<3).map { inputs[1][item * 3 + $0] + Float($0 + 1) * total }
    return (scaled, features, scores)
  }
}
