import CImageCodecs

/// Turns JPEG and PNG files into upright 8-bit images, judging by their content, not their names.
///
/// Pixels are those of OpenCV and Pillow. CMYK and palette become RGB; of 16 bits the upper 8 are
/// kept; alpha is dropped, not blended, as `imread` does in Caffe's tools; gray stays gray. The
/// EXIF orientation is applied. Files that are cut off or damaged are errors, never half an image.
public enum ImageDecoder {
  /// The most bytes read for one image.
  public static let fileSizeLimit = 1 << 30

  /// Decodes a file.
  public static func decode(contentsOf path: String) throws(ImageError) -> Image {
    try decode(bytes(of: path, prefix: .max), name: path)
  }

  /// Decodes a file held in memory; `name` is what errors call it.
  public static func decode(_ bytes: [UInt8], name: String) throws(ImageError) -> Image {
    guard let format = ImageFormat(of: bytes) else {
      throw ImageError(
        file: name, reason: .unknownFormat(found: ImageFormat.otherFormat(of: bytes)))
    }
    var decoded: Image?
    var message = ""
    bytes.withUnsafeBufferPointer { buffer in
      do throws(ReaderFailure) {
        let reader = try ImageReader(buffer)
        decoded = try reader.image()
      } catch {
        message = error.message
      }
    }
    guard let decoded else {
      throw ImageError(file: name, reason: .damaged(format: format.rawValue, message: message))
    }
    return decoded
  }

  /// Whether the first bytes of a file are those of a format that `decode` reads.
  public static func recognizes(contentsOf path: String) throws(ImageError) -> Bool {
    ImageFormat(of: try bytes(of: path, prefix: ImageFormat.longestMark)) != nil
  }

  /// The bytes of a file that is to be decoded, at most `fileSizeLimit`.
  public static func bytes(contentsOf path: String) throws(ImageError) -> [UInt8] {
    try bytes(of: path, prefix: .max)
  }

  private static func bytes(of path: String, prefix: Int) throws(ImageError) -> [UInt8] {
    do throws(FileContents.Failure) {
      return try FileContents.read(path, limit: fileSizeLimit, prefix: prefix)
    } catch {
      switch error {
      case .system(let code): throw ImageError(file: path, reason: .unreadable(errno: code))
      case .tooLarge: throw ImageError(file: path, reason: .fileTooLarge(limit: fileSizeLimit))
      }
    }
  }
}

/// The decoder's own words for what is wrong.
private struct ReaderFailure: Error {
  let message: String

  init(_ buffer: [CChar]) {
    // An untouched buffer would mean that the C side failed without saying why.
    precondition(buffer[0] != 0, "a failing image reader leaves a message")
    let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    message = String(decoding: text, as: UTF8.self)
  }
}

/// Owns the C reader of one file whose bytes stay where they are.
private struct ImageReader: ~Copyable {
  private let reader: OpaquePointer
  private let header: image_header

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ReaderFailure) {
    var message = [CChar](repeating: 0, count: Int(IMAGE_MESSAGE_SIZE))
    var header = image_header()
    guard let reader = image_reader_open(bytes.baseAddress, bytes.count, &header, &message) else {
      throw ReaderFailure(message)
    }
    self.reader = reader
    self.header = header
  }

  /// Decodes the pixels; consumes the reader, whose decoders cannot start over.
  consuming func image() throws(ReaderFailure) -> Image {
    let (width, height) = (Int(header.width), Int(header.height))
    let color: Image.Color = header.channels == 1 ? .gray : .rgb
    let count = width * height * color.sampleCount
    var message = [CChar](repeating: 0, count: Int(IMAGE_MESSAGE_SIZE))
    var decoded = false
    let samples = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      guard let start = buffer.baseAddress else { return }
      decoded = image_reader_read(reader, start, &message)
      filled = decoded ? count : 0
    }
    guard decoded else { throw ReaderFailure(message) }
    return Image(width: width, height: height, color: color, samples: samples)
      .turned(upright: orientation)
  }

  private var orientation: Orientation {
    var count = 0
    guard let exif = image_reader_exif(reader, &count) else { return .upright }
    return Orientation(exif: UnsafeBufferPointer(start: exif, count: count))
  }

  deinit { image_reader_close(reader) }
}
