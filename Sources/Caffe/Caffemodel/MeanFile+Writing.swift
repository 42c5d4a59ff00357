import Foundation
import IR

extension MeanFile {
  /// The bytes of a mean image as compute_image_mean writes them: an array in the old form of four
  /// extents.
  ///
  /// - Parameter mean: channels x height x width.
  /// - Throws: one line, if the mean has other axes or is too large; `file` is named in it.
  public static func serialized(_ mean: Tensor, file: String) throws(Diagnostic) -> Data {
    guard mean.shape.axes == 3 else {
      throw .error("cannot hold a mean of shape \(mean.shape); an image has 3 axes", file: file)
    }
    var wire = WireBlobProto()
    wire.num = 1
    // Each fits: a shape has at most 2^31-1 elements.
    wire.channels = Int32(mean.shape[0])
    wire.height = Int32(mean.shape[1])
    wire.width = Int32(mean.shape[2])
    wire.data = mean.values
    let data: Data? = 4 * mean.count < BinaryFile.maximumBytes ? try? wire.serializedBytes() : nil
    guard let data else { throw .error("would be larger than 2 GB", file: file) }
    return data
  }
}
