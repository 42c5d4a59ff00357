import CImageEncoders
import Glibc
import TestSupport

/// Small pictures of every coding that the decoders know.
enum ImageCorpus {
  static let files: [[UInt8]] = jpegs + pngs

  private static let jpegs: [[UInt8]] = {
    var files: [[UInt8]] = []
    let codings: [(coding: jpeg_coding, samples: Int)] = [
      (jpeg_coding_gray, 1), (jpeg_coding_rgb, 3), (jpeg_coding_ycbcr, 3), (jpeg_coding_cmyk, 4),
      (jpeg_coding_ycck, 4),
    ]
    for (coding, samples) in codings {
      for isProgressive in [false, true] {
        var form = jpeg_form()
        (form.width, form.height, form.quality) = (19, 23, 80)
        form.coding = coding
        form.progressive = isProgressive
        form.arithmetic = samples == 3 && isProgressive && coding == jpeg_coding_rgb
        form.horizontal_sampling = coding == jpeg_coding_ycbcr ? 2 : 1
        form.vertical_sampling = form.horizontal_sampling
        form.restart_interval = isProgressive ? 0 : 1
        files.append(jpeg(form, samples: samples))
      }
    }
    return files
  }()

  private static func jpeg(_ form: jpeg_form, samples: Int) -> [UInt8] {
    var form = form
    let pixels = pixels(Int(form.width * form.height) * samples)
    var count = 0
    return exif.withUnsafeBufferPointer { exif in
      form.app1 = exif.baseAddress
      form.app1_count = UInt32(exif.count)
      let bytes = encode_jpeg(&form, pixels, &count)
      defer { free(bytes) }
      return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
  }

  /// An EXIF block that says: turned by a quarter.
  private static let exif: [UInt8] =
    Array("Exif".utf8) + [0, 0] + Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1]
    + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0] + [0, 0, 0, 0]

  private static let pngs: [[UInt8]] = {
    let colors: [(type: Int32, samples: Int, depths: [Int32])] = [
      (0, 1, [1, 4, 8, 16]), (2, 3, [8, 16]), (3, 1, [2, 8]), (4, 2, [8, 16]), (6, 4, [8, 16]),
    ]
    var files: [[UInt8]] = []
    for color in colors {
      for depth in color.depths {
        for isInterlaced in [false, true] {
          var form = png_form()
          (form.width, form.height) = (13, 11)
          form.bit_depth = depth
          form.color_type = color.type
          form.interlaced = isInterlaced
          form.transparent = color.type == 3 || color.type == 2
          files.append(png(form, rowBytes: (13 * color.samples * Int(depth) + 7) / 8))
        }
      }
    }
    return files
  }()

  private static func png(_ form: png_form, rowBytes: Int) -> [UInt8] {
    var form = form
    // A palette as large as its indices can ask for.
    let palette = pixels(3 << min(form.bit_depth, 8))
    let rows = pixels(rowBytes * Int(form.height))
    let exif = exif.dropFirst(6)
    var count = 0
    return palette.withUnsafeBufferPointer { palette in
      Array(exif).withUnsafeBufferPointer { exif in
        if form.color_type == 3 {
          form.palette = palette.baseAddress
          form.palette_count = Int32(palette.count / 3)
        }
        form.exif = exif.baseAddress
        form.exif_count = UInt32(exif.count)
        let bytes = encode_png(&form, rows, &count)
        defer { free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
      }
    }
  }

  private static func pixels(_ count: Int) -> [UInt8] {
    var random = SeededGenerator(seed: UInt64(count))
    return (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ random.integer(0...15)) }
  }
}
