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
    let data = try serialized(file: path)
    try WholeFile.create(path) { try $0.write(contentsOf: data) }
  }

  /// The bytes of `write(to:)`; `file` is the name for the error message.
  public func serialized(file: String) throws(Diagnostic) -> Data {
    let bytes = layers.flatMap(\.blobs).reduce(0) { $0 + 4 * $1.tensor.count }
    let data: Data? = bytes < BinaryFile.maximumBytes ? try? wire.serializedBytes() : nil
    guard let data else {
      throw .error(
        "would hold \(bytes) bytes of weights, and the format's limit is 2 GB", file: file)
    }
    return data
  }

  private var wire: WireNetParameter {
    var net = WireNetParameter()
    if !name.isEmpty { net.name = name }
    net.layer = layers.map { layer in
      var wire = WireLayerParameter()
      wire.name = layer.name
      wire.type = layer.type
      wire.blobs = layer.blobs.map(\.wire)
      return wire
    }
    return net
  }
}

extension Blob {
  fileprivate var wire: WireBlobProto {
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
