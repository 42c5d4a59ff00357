/// How the elements of a stored array are written: a NumPy type string such as `<f4`.
struct ElementType: Equatable {
  enum Kind: Equatable { case float, signed, unsigned, boolean }

  let kind: Kind
  /// Bytes per element: 1, 2, 4 or 8.
  let size: Int
  let bigEndian: Bool

  /// Reads the type string of an array's header.
  init(descriptor: String) throws(Flaw) {
    var rest = Substring(descriptor)
    var order: Character = "="
    if let first = rest.first, "<>|=".contains(first) {
      order = first
      rest = rest.dropFirst()
    }
    let kinds: [Character: (Kind, sizes: [Int])] = [
      "f": (.float, [2, 4, 8]), "i": (.signed, [1, 2, 4, 8]), "u": (.unsigned, [1, 2, 4, 8]),
      "b": (.boolean, [1]),
    ]
    guard let letter = rest.first, let (kind, sizes) = kinds[letter],
      let size = Int(rest.dropFirst()), sizes.contains(size)
    else {
      throw Flaw(
        "elements of type '\(descriptor)' cannot be read; save the array with astype('float32')")
    }
    self.kind = kind
    self.size = size
    // `=` means the writer's own order; every machine NumPy commonly runs on is little-endian.
    bigEndian = order == ">" && size > 1
  }

  /// The elements are float32 as this machine has them.
  var isNative: Bool { kind == .float && size == 4 && !bigEndian }

  /// Converts the elements of `source` to the nearest float32, as NumPy's `astype` does.
  func convert(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(source.count == target.count * size, "every element is converted")
    switch (kind, size) {
    case (.float, 2): convert(source, into: target) { Float(Float16(bitPattern: $0)) }
    case (.float, 4): convert(source, into: target) { Float(bitPattern: $0) }
    case (.float, _): convert(source, into: target) { Float(Double(bitPattern: $0)) }
    case (.signed, 1): convert(source, into: target) { (bits: Int8) in Float(bits) }
    case (.signed, 2): convert(source, into: target) { (bits: Int16) in Float(bits) }
    case (.signed, 4): convert(source, into: target) { (bits: Int32) in Float(bits) }
    case (.signed, _): convert(source, into: target) { (bits: Int64) in Float(bits) }
    case (.unsigned, 1): convert(source, into: target) { (bits: UInt8) in Float(bits) }
    case (.unsigned, 2): convert(source, into: target) { (bits: UInt16) in Float(bits) }
    case (.unsigned, 4): convert(source, into: target) { (bits: UInt32) in Float(bits) }
    case (.unsigned, _): convert(source, into: target) { (bits: UInt64) in Float(bits) }
    case (.boolean, _): convert(source, into: target) { (bits: UInt8) in bits == 0 ? 0 : 1 }
    }
  }

  @inline(__always)
  private func convert<Bits: FixedWidthInteger>(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>,
    value: (Bits) -> Float
  ) {
    for index in target.indices {
      let stored = source.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
      target[index] = value(bigEndian ? Bits(bigEndian: stored) : Bits(littleEndian: stored))
    }
  }
}
