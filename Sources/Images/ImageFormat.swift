import CImageCodecs

/// The formats that are read, and how their files begin.
enum ImageFormat: String {
  case jpeg = "JPEG"
  case png = "PNG"

  /// As many bytes as any mark needs.
  static let longestMark = 16

  init?(of bytes: [UInt8]) {
    switch image_format_of(bytes, bytes.count) {
    case image_format_jpeg: self = .jpeg
    case image_format_png: self = .png
    default: return nil
    }
  }

  /// Names what the bytes are instead, if that is easy to see: it tells the user what to convert.
  static func otherFormat(of bytes: [UInt8]) -> String? {
    if bytes.isEmpty { return "an empty file" }
    if bytes.count >= 12 && bytes[8..<12].elementsEqual("WEBP".utf8) { return "a WebP image" }
    if bytes.count >= 12 && bytes[4..<8].elementsEqual("ftyp".utf8) {
      return "a HEIF or AVIF image or a video"
    }
    let marks: [(mark: [UInt8], name: String)] = [
      (Array("GIF8".utf8), "a GIF image"), (Array("BM".utf8), "a BMP image"),
      (Array("II*\0".utf8), "a TIFF image"), (Array("MM\0*".utf8), "a TIFF image"),
      (Array("%PDF".utf8), "a PDF document"), (Array("\u{7F}ELF".utf8), "a program or library"),
      (Array("PK\u{3}\u{4}".utf8), "a zip archive"),
      ([0x93] + Array("NUMPY".utf8), "a NumPy array (which --input takes)"),
      ([0x1F, 0x8B], "gzip-compressed data"),
    ]
    return marks.first { bytes.starts(with: $0.mark) }?.name
  }
}
