import CHDF5
import IR

/// An HDF5 file, open to read.
struct HDF5File: ~Copyable {
  private let file: hdf5_file
  private let path: String
  private let origin: Origin

  init(_ path: String, _ origin: Origin) throws(Diagnostic) {
    file = hdf5_open(path)
    self.path = path
    self.origin = origin
    guard file >= 0 else {
      throw origin.error("is missing, or no HDF5 file", file: path)
    }
  }

  deinit { hdf5_close(file) }

  /// The shape of an array of 1 axis or more.
  func shape(of name: String) throws(Diagnostic) -> Shape {
    var layout = hdf5_layout()
    try check(hdf5_describe(file, name, &layout), name)
    let extents = withUnsafeBytes(of: layout.extents) { bytes in
      bytes.bindMemory(to: UInt64.self).prefix(Int(layout.axes)).map { Int(clamping: $0) }
    }
    do throws(ShapeError) {
      guard !extents.isEmpty else { throw ShapeError("it has no axes") }
      return try Shape(extents)
    } catch {
      throw origin.error("dataset \"\(name)\" cannot be used: \(error)", file: path)
    }
  }

  /// The values of an array, row-major.
  func values(of name: String, shape: Shape) throws(Diagnostic) -> [Float] {
    var result = hdf5_done
    let values = [Float](unsafeUninitializedCapacity: shape.count) { buffer, filled in
      result = hdf5_read(file, name, buffer.baseAddress, shape.count)
      filled = result == hdf5_done ? shape.count : 0
    }
    try check(result, name)
    return values
  }

  private func check(_ result: hdf5_result, _ name: String) throws(Diagnostic) {
    switch result {
    case hdf5_done: return
    case hdf5_missing: throw origin.error("has no dataset \"\(name)\"", file: path)
    case hdf5_not_numbers:
      throw origin.error("dataset \"\(name)\" does not hold numbers", file: path)
    case hdf5_too_many_axes:
      throw origin.error("dataset \"\(name)\" has more than 32 axes", file: path)
    default: throw origin.error("dataset \"\(name)\" cannot be read; it is damaged", file: path)
    }
  }
}
