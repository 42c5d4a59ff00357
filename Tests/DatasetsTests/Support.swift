import CImageEncoders
import CLevelDB
import Foundation
import IR
import Testing

@testable import Datasets

/// A folder for one test.
final class Scratch {
  let folder: String

  init() throws {
    folder = "\(FileManager.default.temporaryDirectory.path)/sparsec-data-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  func write(_ text: String, _ name: String) throws { try write(Array(text.utf8), name) }

  /// Makes an LMDB and returns its path.
  func lmdb(_ records: [(String, [UInt8])]) throws -> String { try lmdb("lmdb", records) }

  func lmdb(_ name: String, _ records: [(String, [UInt8])]) throws -> String {
    try FileManager.default.createDirectory(
      atPath: path(name), withIntermediateDirectories: false)
    let writer = try LMDBWriter(folder: path(name), name: name)
    for (key, value) in records { try writer.put(key: key, value: value) }
    try writer.finish()
    return path(name)
  }

  /// Makes a LevelDB and returns its path.
  func levelDB(_ records: [(String, [UInt8])]) throws -> String { try levelDB("leveldb", records) }

  func levelDB(_ name: String, _ records: [(String, [UInt8])]) throws -> String {
    let options = try #require(leveldb_options_create())
    leveldb_options_set_create_if_missing(options, 1)
    let writing = leveldb_writeoptions_create()
    defer {
      leveldb_writeoptions_destroy(writing)
      leveldb_options_destroy(options)
    }
    var message: UnsafeMutablePointer<CChar>?
    let database = try #require(leveldb_open(options, path(name), &message))
    for (key, value) in records {
      value.withUnsafeBytes { bytes in
        leveldb_put(
          database, writing, key, key.utf8.count,
          bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &message)
      }
    }
    // Into a table, where damage can be told from an unfinished log.
    leveldb_compact_range(database, nil, 0, nil, 0)
    leveldb_close(database)
    #expect(message == nil)
    return path(name)
  }

  /// Writes a PNG of rows of 1 or 3 bytes a pixel.
  func png(_ pixels: [UInt8], width: Int, height: Int, _ name: String) throws {
    try write(pngBytes(pixels, width: width, height: height), name)
  }
}

func pngBytes(_ pixels: [UInt8], width: Int, height: Int) throws -> [UInt8] {
  var form = png_form()
  (form.width, form.height) = (UInt32(width), UInt32(height))
  form.bit_depth = 8
  form.color_type = pixels.count == 3 * width * height ? 2 : 0
  var count = 0
  let encoded = try #require(encode_png(&form, pixels, &count))
  defer { free(encoded) }
  return Array(UnsafeBufferPointer(start: encoded, count: count))
}

extension BatchSource {
  /// The next batch, top by top.
  func batch(tops: Int? = nil) throws -> [[Float]] {
    let shapes = shapes.prefix(tops ?? shapes.count)
    let buffers = shapes.map { shape in
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: shape.count)
      buffer.initialize(repeating: .nan)
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    try next(into: buffers)
    return buffers.map { Array($0) }
  }
}

/// Opens a source whose mean file, if it has one, is `mean`.
func open(
  _ source: DataSource, phase: TrainingNet.Phase = .train, seed: UInt64 = 1, mean: Tensor? = nil
) throws -> any BatchSource {
  try Datasets.open(source, of: "input", phase: phase, random: RandomSource(seed: seed)) {
    path throws(Diagnostic) in
    guard let mean else { throw .error("there is no mean", file: path) }
    return mean
  }
}

/// The message that something ends in, which must be one line.
func message(
  sourceLocation: Testing.SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return ""
  } catch let error as Diagnostic {
    #expect(
      !"\(error)".contains { $0.isNewline } && "\(error)".count < 400,
      sourceLocation: sourceLocation
    )
    return "\(error)"
  } catch {
    Issue.record("not a Diagnostic: \(error)", sourceLocation: sourceLocation)
    return ""
  }
}

/// Records of one pixel each, valued and labelled as numbered.
func pixelRecords(_ count: Int) -> [(String, [UInt8])] {
  (0..<count).map { number in
    let datum = Datum(size: (1, 1, 1), data: [UInt8(number)], label: Int32(number))
    return (number.digits(8), datum.serialized)
  }
}
