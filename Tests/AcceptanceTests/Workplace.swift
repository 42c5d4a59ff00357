import Driver
import Foundation
import IR
import SparsecRuntime
import TestSupport

/// A folder for one test's files, gone with it.
struct Workplace: ~Copyable {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "sparsec-acceptance-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The evaluator is unusable without optimisation.
  static var isOptimized: Bool {
    #if DEBUG
      false
    #else
      true
    #endif
  }

  /// Whether these files are beside the checkout, and the build is fast enough for them.
  static func has(_ files: [String]) -> Bool {
    isOptimized && files.allSatisfy { SharedFiles.find($0) != nil }
  }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  /// A copy of a file beside the checkout, unpacked if its name ends in .gz.
  func fetch(_ file: String) throws -> String {
    let source = try Self.shared(file)
    guard file.hasSuffix(".gz") else { return source }
    let target = path(String(source.split(separator: "/").last?.dropLast(3) ?? "file"))
    try Self.run("gzip", ["-dk", "-c", source], to: target)
    return target
  }

  /// Unpacks a tar into a folder of its own.
  func unpack(_ file: String, into name: String) throws -> String {
    let target = path(name)
    try FileManager.default.createDirectory(
      atPath: target, withIntermediateDirectories: true)
    try Self.run("tar", ["xf", Self.shared(file), "-C", target], to: path("tar.log"))
    return target
  }

  static func shared(_ file: String) throws -> String {
    guard let found = SharedFiles.find(file) else {
      throw Diagnostic.error("is not beside the checkout", file: file)
    }
    return found.path
  }

  private static func run(_ program: String, _ arguments: [String], to output: String) throws {
    try Data().write(to: URL(fileURLWithPath: output))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let file = FileHandle(forWritingAtPath: output)
    process.standardOutput = file
    try process.run()
    process.waitUntilExit()
    try file?.close()
    guard process.terminationStatus == 0 else {
      throw Diagnostic.error("\(program) fails for \(arguments)")
    }
  }

  /// Compiles a network for this machine.
  func compile(
    _ definition: String, _ weights: String, as name: String = "net.so", batch: Int = 1,
    disabled: Set<String> = []
  ) throws -> (file: String, manifest: Manifest) {
    var options = CompileOptions(definition: definition, weights: weights)
    options.output = path(name)
    options.batch = batch
    options.disabledPasses = disabled
    return (path(name), try Compiler(options).compile().manifest)
  }

  /// The first output of a network of one input, for random numbers of -1 to 1.
  func output(of network: String, seed: UInt64) throws -> [Float] {
    let model = try Model(path: network)
    var random = SeededGenerator(seed: seed)
    let input = (0..<model.inputs[0].count).map { _ in Float.random(in: -1...1, using: &random) }
    var context = try model.makeContext(threads: 1, batch: 1)
    return try context.run(items: 1, inputs: [input])[0]
  }
}
