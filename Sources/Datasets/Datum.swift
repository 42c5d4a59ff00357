/// One labelled picture or array as Caffe's databases hold it, to be written: the message `Datum`.
public struct Datum: Hashable, Sendable {
  /// Channels, rows, columns; nil where the encoded file knows.
  public var size: (channels: Int, height: Int, width: Int)? {
    get { sizes.map { ($0[0], $0[1], $0[2]) } }
    set { sizes = newValue.map { [$0.channels, $0.height, $0.width] } }
  }
  private var sizes: [Int]?
  /// Planes of pixels (blue, green, red), or a whole JPEG or PNG file.
  public var data: [UInt8]
  public var label: Int32
  /// Whether `data` is a file; nil: left out of the record, as by some of Caffe's converters.
  public var isEncoded: Bool?

  public init(
    size: (channels: Int, height: Int, width: Int)?, data: [UInt8], label: Int32,
    isEncoded: Bool? = nil
  ) {
    sizes = size.map { [$0.channels, $0.height, $0.width] }
    self.data = data
    self.label = label
    self.isEncoded = isEncoded
  }

  /// The message's bytes, the same as Caffe's own: fields in the order of their numbers.
  public var serialized: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.count + 32)
    for (index, extent) in (sizes ?? []).enumerated() {
      bytes.append(UInt8(8 * (index + 1)))
      Self.append(UInt64(extent), to: &bytes)
    }
    bytes.append(0x22)
    Self.append(UInt64(data.count), to: &bytes)
    bytes += data
    bytes.append(0x28)
    // Negative numbers take ten bytes, as 64-bit ones.
    Self.append(UInt64(bitPattern: Int64(label)), to: &bytes)
    if let isEncoded { bytes += [0x38, isEncoded ? 1 : 0] }
    return bytes
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
