import Foundation
import IR
import TestSupport

@testable import Caffe

/// Small files of trained parameters: current, both old generations, masks, a mean, a snapshot.
enum CaffemodelCorpus {
  static let files: [[UInt8]] =
    current() + [v1.bytes, v0.bytes, masked.bytes, mean.bytes, snapshot.bytes]

  /// What our writer makes of the layers of `PrototxtCorpus.weighted`.
  private static func current() -> [[UInt8]] {
    let shapes: [(name: String, type: String, blobs: [[Int]])] = [
      ("conv", "Convolution", [[4, 1, 3, 3], [4]]), ("bn", "BatchNorm", [[4], [4], [1]]),
      ("scale", "Scale", [[4], [4]]), ("prelu", "PReLU", [[4]]),
      ("fc", "InnerProduct", [[3, 64], [3]]), ("prob", "Softmax", []),
    ]
    return [false, true].compactMap { isLegacy in
      let layers = shapes.map { layer in
        let blobs = layer.blobs.compactMap { extents -> Blob? in
          let padded = [Int](repeating: 1, count: max(0, 4 - extents.count)) + extents
          guard let shape = try? Shape(isLegacy ? padded : extents) else { return nil }
          return Blob(
            Tensor(shape: shape, values: (0..<shape.count).map { Float($0) / 8 - 1 }),
            isLegacy: isLegacy)
        }
        return LayerBlobs(name: layer.name, type: layer.type, blobs: blobs)
      }
      let model = Caffemodel(name: "small", layers: layers)
      return (try? model.serialized(file: "f")).map(Array.init)
    }
  }

  /// `layers` with numbers for types, four-axis shapes, values one by one.
  private static let v1 = Bytes().message(
    2,
    Bytes().text(4, "conv").number(5, 4).message(6, oldBlob([4, 1, 3, 3], 36))
      .message(6, oldBlob([1, 1, 1, 4], 4))
  ).message(
    2, Bytes().text(4, "fc").number(5, 14).message(6, doubles([3, 64])).message(6, floats([3])))

  private static let v0 = Bytes().message(
    2,
    Bytes().message(
      1,
      Bytes().text(1, "fc").text(2, "innerproduct").message(50, oldBlob([1, 1, 3, 64], 192))
        .message(50, oldBlob([1, 1, 1, 3], 3))))

  /// The layers of dynamic network surgery with their masks, and fields that nobody knows.
  private static let masked = Bytes().text(1, "masked").message(
    100,
    Bytes().text(1, "conv").text(2, "CConvolution").message(7, floats([4, 1, 3, 3]))
      .message(7, floats([4])).message(7, floats([4, 1, 3, 3], value: 1))
      .message(7, floats([4], value: 0)).message(140, Bytes().number(1, 3)).number(300, -1))

  private static let mean = oldBlob([1, 3, 2, 2], 12)

  private static let snapshot = Bytes().number(1, 500).text(2, "net.caffemodel")
    .message(3, floats([2, 3])).message(3, floats([2])).number(4, 2)

  private static func oldBlob(_ extents: [Int], _ count: Int) -> Bytes {
    var blob = extents.enumerated().reduce(Bytes()) { $0.number($1.offset + 1, $1.element) }
    for value in 0..<count {
      blob.bytes += Bytes.varint(5 << 3 | 5) + Bytes.little(Float(value).bitPattern)
    }
    return blob
  }

  private static func floats(_ extents: [Int], value: Float = 0.25) -> Bytes {
    let count = extents.reduce(1, *)
    return shape(extents).run(
      5, (0..<count).flatMap { _ in Bytes.little(value.bitPattern) })
  }

  private static func doubles(_ extents: [Int]) -> Bytes {
    let count = extents.reduce(1, *)
    return shape(extents).run(8, (0..<count).flatMap { Bytes.little(Double($0).bitPattern) })
  }

  private static func shape(_ extents: [Int]) -> Bytes {
    Bytes().message(7, Bytes().run(1, extents.flatMap { Bytes.varint(UInt64($0)) }))
  }
}

/// Protobuf's wire format, by hand.
private struct Bytes {
  var bytes: [UInt8] = []

  static func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f | 0x80)] + varint(value >> 7)
  }

  static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  func number(_ field: Int, _ value: Int) -> Bytes {
    Bytes(
      bytes: bytes + Self.varint(UInt64(field) << 3)
        + Self.varint(UInt64(bitPattern: Int64(value))))
  }

  func run(_ field: Int, _ content: [UInt8]) -> Bytes {
    let head = Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(content.count))
    return Bytes(bytes: bytes + head + content)
  }

  func text(_ field: Int, _ text: String) -> Bytes { run(field, Array(text.utf8)) }

  func message(_ field: Int, _ message: Bytes) -> Bytes { run(field, message.bytes) }
}
