extension NumPyArray {
  /// Writes an `.npy` file, whole or not at all; the bytes are those of `numpy.save`.
  public func write(to path: String) throws(NumPyError) {
    do throws(Flaw) {
      let file = try FileReplacement(path)
      try file.write(ArrayHeader.bytes(shape: shape))
      try withValueBytes { bytes throws(Flaw) in try file.write(bytes) }
      try file.finish()
    } catch {
      throw error.inFile(path)
    }
  }

  /// Lends the values as the little-endian bytes of a file.
  func withValueBytes(
    _ body: (UnsafeRawBufferPointer) throws(Flaw) -> Void
  ) throws(Flaw) {
    precondition(Int(littleEndian: 1) == 1, "arrays are written on little-endian machines")
    var flaw: Flaw?
    values.withUnsafeBytes { bytes in
      do throws(Flaw) { try body(bytes) } catch { flaw = error }
    }
    if let flaw { throw flaw }
  }
}
