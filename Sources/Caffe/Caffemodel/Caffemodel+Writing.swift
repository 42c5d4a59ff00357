import Foundation
import IR
import SwiftProtobuf

extension Caffemodel {
  /// Writes the model in the current format: `layer`s, packed floats, zeros stored like
  /// other values.
  ///
  /// Shapes are BlobShapes; a blob that still has an old shape (see `upgraded()`) keeps the four
  /// old fields, since only they make Caffe align it to the right. The file appears whole or
  /// not at all.
  ///
  /// - Throws: one line, if the file can not be written or would be larger than 2 GB.
  public func write(to path: String) throws(Diagnostic) {
    try requireSize(file: path)
    try WholeFile.create(path) { handle in
      // Messages one behind the other are one message with all their fields: only one layer at a time is in
      // memory twice.
      try handle.write(contentsOf: head.serializedBytes() as Data)
      for layer in layers {
        var part = WireNetParameter()
        part.layer = [layer.wire]
        try handle.write(contentsOf: part.serializedBytes() as Data)
      }
    }
  }

  /// The bytes of `write(to:)`; `file` is the name for the error message.
  public func serialized(file: String) throws(Diagnostic) -> Data {
    try requireSize(file: file)
    var wire = head
    wire.layer = layers.map(\.wire)
    guard let data: Data = try? wire.serializedBytes() else {
      throw .error("its weights do not fit into a caffemodel", file: file)
    }
    return data
  }

  private func requireSize(file: String) throws(Diagnostic) {
    var bytes = 0
    for layer in layers {
      bytes += layer.blobs.reduce(0) { $0 + 4 * $1.tensor.count }
      bytes += layer.gradients.values.reduce(0) { $0 + 4 * $1.count }
      bytes += layer.masks.values.reduce(0) { $0 + $1.count / 8 }
    }
    guard bytes < BinaryFile.maximumBytes - 4096 * (layers.count + 1) else {
      throw .error(
        "would hold \(bytes) bytes of weights, and the format's limit is 2 GB", file: file)
    }
  }

  /// Everything but the layers.
  private var head: WireNetParameter {
    var net = WireNetParameter()
    if !name.isEmpty { net.name = name }
    if let stamp { net.stamp = stamp }
    return net
  }
}

extension LayerBlobs {
  fileprivate var wire: WireLayerParameter {
    var wire = WireLayerParameter()
    wire.name = name
    wire.type = type
    wire.blobs = blobs.enumerated().map { index, blob in
      var wire = blob.wire
      if let gradient = gradients[index] { wire.diff = gradient.values }
      return wire
    }
    wire.mask = masks.sorted { $0.key < $1.key }.map { blob, mask in
      var wire = WireMask()
      wire.blob = Int32(blob)
      wire.bits = MaskBits.packed(mask)
      return wire
    }
    return wire
  }

  /// Takes the masks of a decoded layer.
  ///
  /// - Throws: one line, if a mask is for no blob or has another size.
  mutating func readMasks(_ wire: [WireMask], file: String) throws(Diagnostic) {
    for mask in wire {
      let blob = Int(mask.blob)
      guard blobs.indices.contains(blob),
        let elements = MaskBits.unpacked(mask.bits, count: blobs[blob].tensor.count)
      else {
        throw .error(
          "layer \(Spelling.quoted(name)): a mask does not fit blob \(blob)", file: file)
      }
      masks[blob] = elements
    }
  }
}

extension Blob {
  var wire: WireBlobProto {
    var wire = WireBlobProto()
    if isLegacy {
      // Each fits: a shape has at most 2^31-1 elements.
      wire.num = Int32(shape[0])
      wire.channels = Int32(shape[1])
      wire.height = Int32(shape[2])
      wire.width = Int32(shape[3])
    } else {
      wire.shape.dim = shape.extents.map(Int64.init)
    }
    wire.data = values
    return wire
  }
}

/// Masks as files hold them: one bit for each element, the first in the lowest bit of the first byte.
enum MaskBits {
  static func packed(_ mask: [Bool]) -> Data {
    var bytes = Data(count: (mask.count + 7) / 8)
    for (index, isKept) in mask.enumerated() where isKept { bytes[index / 8] |= 1 << (index % 8) }
    return bytes
  }

  /// nil if there are not bits for `count` elements.
  static func unpacked(_ bytes: Data, count: Int) -> [Bool]? {
    guard bytes.count == (count + 7) / 8 else { return nil }
    let first = bytes.startIndex
    return (0..<count).map { bytes[first + $0 / 8] >> ($0 % 8) & 1 == 1 }
  }
}
