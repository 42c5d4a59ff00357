import Foundation
import IR

/// A mean image, `mean.binaryproto`: what compute_image_mean writes.
public enum MeanFile {
  /// Reads the mean as channels x height x width, in the order of the channels in training (BGR).
  ///
  /// Both forms are read: an array, and a list of one array.
  ///
  /// - Throws: one line that says what is wrong with the file.
  public static func read(contentsOf path: String) throws(Diagnostic) -> Tensor {
    try read(data: BinaryFile.contents(of: path), file: path)
  }

  /// Decodes the bytes of a file that error messages shall call `file`.
  public static func read(data: Data, file: String) throws(Diagnostic) -> Tensor {
    let what = "a mean image in binaryproto"
    // Field 1 of a list is an array (tag 0x0a), that of an array is a number (tag 0x08).
    let wire: WireBlobProto
    if data.first == 0x0a {
      let list = try BinaryFile.decode(
        WireBlobProtoVector.self, as: .blobVector, from: data, file: file, what: what)
      guard list.blobs.count == 1 else {
        throw .error("holds \(list.blobs.count) arrays; a mean image is one", file: file)
      }
      wire = list.blobs[0]
    } else {
      wire = try BinaryFile.decode(
        WireBlobProto.self, as: .blob, from: data, file: file, what: what)
    }
    do {
      let tensor = try Blob(wire).tensor
      let extents = tensor.shape.extents
      if extents.count == 3 { return tensor }
      guard extents.count == 4, extents[0] == 1 else {
        throw ShapeError(
          "shape \(tensor.shape) is not that of one image (1, channels, height, width)")
      }
      return tensor.reshaped(to: try Shape(Array(extents.dropFirst())))
    } catch {
      throw .error("is no mean image: \(error)", file: file)
    }
  }
}
