import CHDF5
import Foundation
import IR

/// An HDF5 file that is open, or being made in memory; what can go wrong is one line each.
final class HDF5Document {
  private let handle: hdf5_file
  private let file: String

  private init(_ handle: hdf5_file, file: String) {
    self.handle = handle
    self.file = file
  }

  deinit { _ = hdf5_close(handle) }

  /// Opens a file to read, and hands it to `body`.
  static func read<Result>(
    _ path: String, _ body: (HDF5Document) throws(Diagnostic) -> Result
  ) throws(Diagnostic) -> Result {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .error("there is no such file", file: path)
    }
    let handle = hdf5_open(path)
    guard handle >= 0 else { throw .error("is no HDF5 file, or is damaged", file: path) }
    return try body(HDF5Document(handle, file: path))
  }

  /// Makes a file in memory with `body` and writes it whole or not at all.
  static func create(
    _ path: String, _ body: (HDF5Document) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let image = try image(path, body)
    try WholeFile.create(path) { try $0.write(contentsOf: image) }
  }

  private static func image(
    _ path: String, _ body: (HDF5Document) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> Data {
    let handle = hdf5_create_in_memory()
    guard handle >= 0 else { throw .error("no HDF5 file could be made in memory", file: path) }
    let document = HDF5Document(handle, file: path)
    try body(document)
    let count = hdf5_image(handle, nil, 0)
    var bytes = Data(count: max(0, Int(count)))
    let written = bytes.withUnsafeMutableBytes { hdf5_image(handle, $0.baseAddress, $0.count) }
    guard count > 0, written == count else { throw document.failure("the file") }
    return bytes
  }

  private func failure(_ name: String) -> Diagnostic {
    .error("\(Spelling.quoted(name)) can not be written into an HDF5 file", file: file)
  }

  private func damage(_ name: String) -> Diagnostic {
    .error("has no \(Spelling.quoted(name)) of the kind that is expected", file: file)
  }

  // MARK: - Writing

  func makeGroup(_ name: String) throws(Diagnostic) {
    guard hdf5_make_group(handle, name) else { throw failure(name) }
  }

  func write(_ tensor: Tensor, as name: String) throws(Diagnostic) {
    var layout = hdf5_layout()
    layout.axes = Int32(tensor.shape.axes)
    withUnsafeMutableBytes(of: &layout.extents) { bytes in
      let extents = bytes.assumingMemoryBound(to: UInt64.self)
      for (axis, extent) in tensor.shape.extents.enumerated() { extents[axis] = UInt64(extent) }
    }
    let result = tensor.values.withUnsafeBufferPointer {
      hdf5_write(handle, name, &layout, $0.baseAddress)
    }
    guard result == hdf5_done else { throw failure(name) }
  }

  func write(_ value: Int, as name: String) throws(Diagnostic) {
    guard hdf5_write_integer(handle, name, Int32(clamping: value)) else { throw failure(name) }
  }

  func write(_ text: String, as name: String) throws(Diagnostic) {
    guard hdf5_write_text(handle, name, text) else { throw failure(name) }
  }

  func write(_ bytes: some DataProtocol, as name: String) throws(Diagnostic) {
    let isWritten = Data(bytes).withUnsafeBytes {
      hdf5_write_bytes(handle, name, $0.baseAddress, $0.count)
    }
    guard isWritten else { throw failure(name) }
  }

  // MARK: - Reading

  func isGroup(_ name: String) -> Bool { hdf5_kind_of(handle, name) == hdf5_group }

  func isArray(_ name: String) -> Bool { hdf5_kind_of(handle, name) == hdf5_array }

  /// The names in a group, alphabetically.
  func members(of group: String) throws(Diagnostic) -> [String] {
    let count = hdf5_member_count(handle, group)
    guard count >= 0, count <= WireCheck.maximumMessages else { throw damage(group) }
    var names: [String] = []
    for index in 0..<Int(count) {
      var name = [CChar](repeating: 0, count: 4096)
      let length = hdf5_member_name(handle, group, index, &name, name.count)
      guard length >= 0, length < name.count else { throw damage(group) }
      names.append(Self.text(name))
    }
    return names
  }

  func tensor(_ name: String) throws(Diagnostic) -> Tensor {
    var layout = hdf5_layout()
    guard hdf5_describe(handle, name, &layout) == hdf5_done else { throw damage(name) }
    let axes = Int(layout.axes)
    let extents = withUnsafeBytes(of: &layout.extents) { bytes in
      bytes.assumingMemoryBound(to: UInt64.self).prefix(axes).map { Int(clamping: $0) }
    }
    do {
      let shape = try Shape(extents)
      var isRead = false
      let values = [Float](unsafeUninitializedCapacity: shape.count) { buffer, count in
        isRead = hdf5_read(handle, name, buffer.baseAddress, shape.count) == hdf5_done
        if !isRead { buffer.initialize(repeating: 0) }
        count = shape.count
      }
      guard isRead else { throw ShapeError("it is damaged") }
      return Tensor(shape: shape, values: values)
    } catch {
      throw .error("array \(Spelling.quoted(name)): \(error)", file: file)
    }
  }

  func integer(_ name: String) throws(Diagnostic) -> Int {
    var value: Int32 = 0
    guard hdf5_read_integer(handle, name, &value) == hdf5_done else { throw damage(name) }
    return Int(value)
  }

  func text(_ name: String) throws(Diagnostic) -> String {
    var text = [CChar](repeating: 0, count: 65536)
    guard hdf5_read_text(handle, name, &text, text.count) >= 0 else { throw damage(name) }
    return Self.text(text)
  }

  func bytes(_ name: String) throws(Diagnostic) -> Data {
    let count = hdf5_read_bytes(handle, name, nil, 0)
    guard count >= 0, count <= BinaryFile.maximumBytes else { throw damage(name) }
    var bytes = Data(count: Int(count))
    if bytes.isEmpty { return bytes }
    let read = bytes.withUnsafeMutableBytes {
      hdf5_read_bytes(handle, name, $0.baseAddress, $0.count)
    }
    guard read == count else { throw damage(name) }
    return bytes
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
