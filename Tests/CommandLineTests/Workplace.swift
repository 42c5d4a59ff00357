import CImageEncoders
import Caffe
import Foundation
import IR
import NumPy
import Testing

/// What a command left behind.
struct Outcome {
  var status: Int32
  var output: String
  var errors: String
}

/// A folder for one test, and the built tool to use in it.
final class Workplace: Sendable {
  let folder: String

  init() throws {
    let base = FileManager.default.temporaryDirectory.path
    folder = "\(base)/sparsec-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The tool lies beside the program that runs the tests.
  static let tool: String = {
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    return URL(fileURLWithPath: program ?? "").deletingLastPathComponent().path + "/sparsec"
  }()

  /// Runs the tool in the folder.
  func sparsec(_ arguments: String...) throws -> Outcome { try run(Self.tool, arguments) }

  /// Runs the tool in the folder.
  func sparsec(_ arguments: [String]) throws -> Outcome { try run(Self.tool, arguments) }

  /// Runs a line of shell in the folder; `$SPARSEC` is the tool.
  func shell(_ line: String) throws -> Outcome { try run("/bin/sh", ["-c", line]) }

  private func run(_ program: String, _ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(["SPARSEC": Self.tool]) {
      $1
    }
    // Files, unlike pipes, never fill up.
    let (output, errors) = ("\(folder).stdout", "\(folder).stderr")
    defer {
      for file in [output, errors] { try? FileManager.default.removeItem(atPath: file) }
    }
    for file in [output, errors] { try Data().write(to: URL(fileURLWithPath: file)) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationReason == .exit
        ? process.terminationStatus : 128 + process.terminationStatus,
      output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: output)), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: errors)), as: UTF8.self))
  }

  // MARK: Files

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func write(_ text: String, _ name: String) throws { try write(Array(text.utf8), name) }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  /// Everything in the folder and in folders inside, in order.
  func contents() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
  }

  func write(_ array: NumPyArray, _ name: String) throws { try array.write(to: path(name)) }

  /// Writes a gray PNG of 4x4 pixels.
  func writeImage(_ pixels: [UInt8], _ name: String) throws {
    precondition(pixels.count == 16, "an image of 4x4 pixels")
    var form = png_form()
    form.width = 4
    form.height = 4
    form.bit_depth = 8
    var count = 0
    let encoded = try #require(encode_png(&form, pixels, &count))
    defer { free(encoded) }
    try write(Array(UnsafeBufferPointer(start: encoded, count: count)), name)
  }

  /// Writes a caffemodel of layers with their blobs.
  func write(weights layers: [(String, String, [Tensor])], _ name: String) throws {
    let model = Caffemodel(
      name: "tiny",
      layers: layers.map { name, type, tensors in
        LayerBlobs(name: name, type: type, blobs: tensors.map { Blob($0) })
      })
    try model.write(to: path(name))
  }
}

/// Checks that a command refused what it was given: status 1, one line that contains `words`, no
/// result, and no file that was not there before.
func expectRefusal(
  _ workplace: Workplace, _ arguments: [String], _ words: String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  let before = try workplace.contents()
  let outcome = try workplace.sparsec(arguments)
  #expect(outcome.status == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
  let isOneLine =
    outcome.errors.hasSuffix("\n") && outcome.errors.count { $0.isNewline } == 1
  #expect(isOneLine, "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(outcome.errors.contains(words), "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(try workplace.contents() == before, sourceLocation: sourceLocation)
}
