import Foundation

/// Protobuf bytes written by hand, so that tests do not trust the code they test.
struct Wire {
  var bytes: [UInt8] = []

  var data: Data { Data(bytes) }

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func little(_ value: Float) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  static func little(_ value: Double) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  mutating func tag(_ field: UInt64, _ kind: UInt64) { bytes += Self.varint(field << 3 | kind) }

  /// A varint field; negative numbers take ten bytes, as in protobuf.
  func number(_ field: UInt64, _ value: Int) -> Wire {
    var copy = self
    copy.tag(field, 0)
    copy.bytes += Self.varint(UInt64(bitPattern: Int64(value)))
    return copy
  }

  func run(_ field: UInt64, _ content: [UInt8]) -> Wire {
    var copy = self
    copy.tag(field, 2)
    copy.bytes += Self.varint(UInt64(content.count)) + content
    return copy
  }

  func text(_ field: UInt64, _ text: String) -> Wire { run(field, Array(text.utf8)) }

  func message(_ field: UInt64, _ message: Wire) -> Wire { run(field, message.bytes) }

  func packed(_ field: UInt64, _ values: [Float]) -> Wire {
    run(field, values.flatMap(Self.little))
  }

  func packedDoubles(_ field: UInt64, _ values: [Double]) -> Wire {
    run(field, values.flatMap(Self.little))
  }

  func unpacked(_ field: UInt64, _ values: [Float]) -> Wire {
    var copy = self
    for value in values {
      copy.tag(field, 5)
      copy.bytes += Self.little(value)
    }
    return copy
  }

  func unpackedDoubles(_ field: UInt64, _ values: [Double]) -> Wire {
    var copy = self
    for value in values {
      copy.tag(field, 1)
      copy.bytes += Self.little(value)
    }
    return copy
  }

  func shape(_ extents: [Int]) -> Wire {
    message(
      7, Wire().run(1, extents.flatMap { Self.varint(UInt64(bitPattern: Int64($0))) }))
  }

  /// A current blob: BlobShape and packed floats.
  static func blob(_ extents: [Int], _ values: [Float]) -> Wire {
    Wire().shape(extents).packed(5, values)
  }

  /// A current layer.
  static func layer(_ name: String, _ type: String, _ blobs: [Wire]) -> Wire {
    blobs.reduce(Wire().text(1, name).text(2, type)) { $0.message(7, $1) }
  }

  /// A current net.
  static func net(_ layers: [Wire]) -> Wire {
    layers.reduce(Wire().text(1, "net")) { $0.message(100, $1) }
  }
}

extension SharedFiles {
  /// The path of a file of the data set.
  static func path(_ file: String) -> String { root.appendingPathComponent(file).path }

  /// The bytes of a file, unpacked if its name ends in .gz.
  static func contents(_ file: String) throws -> Data {
    guard file.hasSuffix(".gz") else {
      return try Data(contentsOf: root.appendingPathComponent(file))
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path(file)]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return data
  }
}
