/// What is wrong with a record; one clause without a final full stop.
struct DatumFlaw: Error, Hashable {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// A record of a database, taken apart where it lies.
///
/// Whatever the bytes are, reading ends in a view of them or in a `DatumFlaw`, and takes memory for
/// nothing but numbers that are there.
struct DatumView {
  var channels = 0
  var height = 0
  var width = 0
  /// Pixels in planes, or an encoded file; part of the record that was read.
  var data = UnsafeRawBufferPointer(start: nil, count: 0)
  var label: Int32 = 0
  /// Values in planes, where the record has no `data`.
  var floats: [Float] = []
  var isEncoded = false

  /// Reads a message `Datum`. Unknown fields are stepped over; of repeated ones the last counts.
  ///
  /// An accepted record is whole: `data` or `floats` has `channels * height * width` elements,
  /// unless it is encoded.
  init(_ record: UnsafeRawBufferPointer) throws(DatumFlaw) {
    guard !record.isEmpty else { throw DatumFlaw("is empty") }
    var wire = WireReader(bytes: record)
    while !wire.isAtEnd {
      let tag = try wire.varint()
      switch (tag >> 3, tag & 7) {
      case (1, 0): channels = Int(Int32(truncatingIfNeeded: try wire.varint()))
      case (2, 0): height = Int(Int32(truncatingIfNeeded: try wire.varint()))
      case (3, 0): width = Int(Int32(truncatingIfNeeded: try wire.varint()))
      case (4, 2): data = try wire.run()
      case (5, 0): label = Int32(truncatingIfNeeded: try wire.varint())
      case (6, 2):
        let run = try wire.run()
        guard run.count % 4 == 0 else { throw DatumFlaw("has \(run.count) bytes of floats") }
        for offset in stride(from: 0, to: run.count, by: 4) {
          floats.append(Self.float(run, offset))
        }
      case (6, 5): floats.append(Self.float(try wire.bytes(4), 0))
      case (7, 0): isEncoded = try wire.varint() != 0
      case (1...7, _): throw DatumFlaw("is no Datum: field \(tag >> 3) has the wrong kind")
      default: try wire.skip(tag)
      }
    }
    try checkSizes()
  }

  private func checkSizes() throws(DatumFlaw) {
    if isEncoded {
      guard !data.isEmpty else { throw DatumFlaw("is encoded, but has no data") }
      return
    }
    let size = "\(channels) x \(height) x \(width)"
    guard channels > 0, height > 0, width > 0 else {
      throw DatumFlaw("has a size of \(size) (channels, height, width)")
    }
    // Each is below 2^31, so that two of them cannot overflow.
    let (count, overflow) = (channels * height).multipliedReportingOverflow(by: width)
    let stored = data.isEmpty ? floats.count : data.count
    guard !overflow, stored == count else {
      throw DatumFlaw("has a size of \(size), but \(stored) values")
    }
  }

  private static func float(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Float {
    Float(
      bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    )
  }
}

/// Steps through the fields of a protobuf message.
struct WireReader {
  let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func varint() throws(DatumFlaw) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      guard offset < bytes.count else { throw Self.tooShort }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    throw DatumFlaw("is no Datum: a number of more than ten bytes")
  }

  /// The next `count` bytes, where they lie.
  mutating func bytes(_ count: Int) throws(DatumFlaw) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - offset else { throw Self.tooShort }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// Bytes behind their number.
  mutating func run() throws(DatumFlaw) -> UnsafeRawBufferPointer {
    let count = try varint()
    guard count <= UInt64(bytes.count - offset) else { throw Self.tooShort }
    return try bytes(Int(count))
  }

  /// Steps over a field that is not known.
  mutating func skip(_ tag: UInt64) throws(DatumFlaw) {
    guard tag >> 3 != 0 else { throw DatumFlaw("is no Datum: a field without a number") }
    switch tag & 7 {
    case 0: _ = try varint()
    case 1: _ = try bytes(8)
    case 2: _ = try run()
    case 5: _ = try bytes(4)
    default: throw DatumFlaw("is no Datum: a field of an impossible kind")
    }
  }

  private static let tooShort = DatumFlaw("is no Datum, or cut off: the data end too early")
}
