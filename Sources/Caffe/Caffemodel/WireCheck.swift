import Foundation

/// What is wrong with the bytes of a binary file; one clause without a final full stop.
struct WireDamage: Error {
  var reason: String
}

/// A walk over protobuf bytes that finds damage before anything is decoded.
///
/// The decoder would notice damage too, but could not say where, and bytes made up for the purpose
/// would make it build many times their own size: an empty message takes two bytes in a file
/// and over a hundred in memory. What passes this check decodes into about the memory of the file.
struct WireCheck {
  /// The messages that are decoded; all others are skipped.
  enum Message {
    case net, layer, v1Layer, v0Layer, blob, shape, blobVector, solverState
    case mask, trainingState, namedBytes, denseBlob

    /// The message in field `number`, if it is one that is decoded.
    func child(_ number: UInt64) -> Message? {
      switch (self, number) {
      case (.net, 100): .layer
      case (.net, 2): .v1Layer
      case (.v1Layer, 1): .v0Layer
      case (.layer, 7), (.v1Layer, 6), (.v0Layer, 50), (.blobVector, 1), (.solverState, 3): .blob
      case (.blob, 7): .shape
      case (.layer, 50001): .mask
      case (.solverState, 50001): .trainingState
      case (.trainingState, 1), (.trainingState, 2): .namedBytes
      case (.trainingState, 3): .denseBlob
      case (.denseBlob, 3): .blob
      default: nil
      }
    }

    /// The field that holds the name of a layer.
    var nameField: UInt64? {
      switch self {
      case .layer, .v0Layer: 1
      case .v1Layer: 4
      case .net, .blob, .shape, .blobVector, .solverState: nil
      case .mask, .trainingState, .namedBytes, .denseBlob: nil
      }
    }
  }

  /// More messages than any net has; ResNet-1001 has about ten thousand.
  static let maximumMessages = 100_000
  /// The bytes of 32 extents, the most that a shape may have, and room to spare.
  static let maximumShapeBytes = 1024
  /// Nesting of groups, which Caffe does not use.
  static let maximumGroupDepth = 16
  /// The decoder copies what it has at each further run of a split array: 16 GB take seconds.
  static let maximumCopiedBytes = 1 << 34

  private var offset = 0
  private var messages = 0
  private var copiedBytes = 0
  private var layerName: Range<Int>?

  /// Checks that `data` is well-formed, and decodes into no more than a file of its size should.
  static func check(_ data: Data, as message: Message) throws(WireDamage) {
    let bytes = data.bytes
    var walk = WireCheck()
    do {
      try walk.walk(bytes, message, to: bytes.byteCount)
    } catch {
      let name = walk.layerName.flatMap { range in
        range.count <= 200
          ? String(data: data.dropFirst(range.lowerBound).prefix(range.count), encoding: .utf8)
          : nil
      }
      let place = name.map { " in layer \(Spelling.quoted($0))" } ?? ""
      throw WireDamage(reason: "\(error.reason), at byte \(walk.offset)\(place)")
    }
  }

  private mutating func walk(_ bytes: RawSpan, _ message: Message, to end: Int)
    throws(WireDamage)
  {
    messages += 1
    guard messages <= Self.maximumMessages else {
      throw WireDamage(reason: "more than \(Self.maximumMessages) layers and blobs")
    }
    var runs = 0
    var runBytes = 0
    while offset < end {
      let tag = try varint(bytes, to: end)
      let number = tag >> 3
      guard tag & 7 == 2 else {
        try skip(bytes, tag, to: end, depth: 0)
        continue
      }
      let length = try length(bytes, to: end)
      if let child = message.child(number) {
        if child == .shape, length > Self.maximumShapeBytes {
          throw WireDamage(reason: "a shape of more than \(length / 10) axes")
        }
        try walk(bytes, child, to: offset + length)
        continue
      }
      if message.nameField == number { layerName = offset..<offset + length }
      if message == .blob, [5, 6, 8].contains(number) {
        copiedBytes += runs > 0 ? runBytes : 0
        runs += 1
        runBytes += length
        guard copiedBytes <= Self.maximumCopiedBytes else {
          throw WireDamage(reason: "an array in too many pieces (\(runs))")
        }
        guard length % (number == 8 ? 8 : 4) == 0 else {
          throw WireDamage(reason: "an array of \(length) bytes")
        }
      }
      offset += length
    }
    if message.nameField != nil { layerName = nil }
  }

  /// Steps over a field that is not length-delimited, or over a group with all its fields.
  private mutating func skip(_ bytes: RawSpan, _ tag: UInt64, to end: Int, depth: Int)
    throws(WireDamage)
  {
    guard tag >> 3 != 0 else { throw WireDamage(reason: "a field without a number") }
    switch tag & 7 {
    case 0: _ = try varint(bytes, to: end)
    case 1: try advance(by: 8, to: end)
    case 2: try advance(by: try length(bytes, to: end), to: end)
    case 5: try advance(by: 4, to: end)
    case 3:
      guard depth < Self.maximumGroupDepth else {
        throw WireDamage(reason: "groups nested too deep")
      }
      while true {
        let inner = try varint(bytes, to: end)
        if inner & 7 == 4 {
          guard inner >> 3 == tag >> 3 else { throw WireDamage(reason: "a group without end") }
          return
        }
        try skip(bytes, inner, to: end, depth: depth + 1)
      }
    default: throw WireDamage(reason: "a field of an impossible kind")
    }
  }

  private mutating func advance(by count: Int, to end: Int) throws(WireDamage) {
    guard count <= end - offset else { throw WireDamage(reason: "the data ends too early") }
    offset += count
  }

  /// Reads the length of a field and checks that so many bytes follow.
  private mutating func length(_ bytes: RawSpan, to end: Int) throws(WireDamage) -> Int {
    let value = try varint(bytes, to: end)
    guard value <= UInt64(end - offset) else {
      throw WireDamage(
        reason: "\(value) bytes are announced where \(end - offset) are left")
    }
    return Int(value)
  }

  private mutating func varint(_ bytes: RawSpan, to end: Int) throws(WireDamage) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      guard offset < end else { throw WireDamage(reason: "the data ends too early") }
      let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    throw WireDamage(reason: "a number of more than ten bytes")
  }
}
