import CImageCodecs
import Glibc

/// Turns images into JPEG and PNG files.
public enum ImageEncoder {
  /// OpenCV's quality of JPEG files, which Caffe's tools write.
  public static let quality: Int32 = 95

  /// Encodes an image in the format of another file.
  ///
  /// - Parameters:
  ///   - file: the bytes of a JPEG or PNG file.
  ///   - name: what errors call it.
  public static func encode(
    _ image: Image, likeFile file: [UInt8], name: String
  ) throws(ImageError) -> [UInt8] {
    let format = ImageFormat(of: file) ?? .png
    var header = image_header()
    header.width = UInt32(image.width)
    header.height = UInt32(image.height)
    header.channels = UInt32(image.color.sampleCount)
    var count = 0
    var message = [CChar](repeating: 0, count: Int(IMAGE_MESSAGE_SIZE))
    let encoded =
      switch format {
      case .jpeg: image_encode_jpeg(&header, image.samples, quality, &count, &message)
      case .png: image_encode_png(&header, image.samples, &count, &message)
      }
    guard let encoded else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw ImageError(
        file: name,
        reason: .notEncoded(format: format.rawValue, message: String(decoding: text, as: UTF8.self))
      )
    }
    defer { free(encoded) }
    return [UInt8](UnsafeBufferPointer(start: encoded, count: count))
  }
}
