import CImageEncoders
import Glibc

@testable import Images

/// Numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A smooth picture: JPEG keeps it nearly as it is, and no two corners are alike.
func gradient(width: Int, height: Int, samples: Int) -> [UInt8] {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      for sample in 0..<samples {
        let slope = [x * 150 / width, y * 150 / height, (x + y) * 150 / (width + height), 40]
        pixels.append(UInt8(50 + slope[sample]))
      }
    }
  }
  return pixels
}

func noise(count: Int, seed: UInt64) -> [UInt8] {
  var generator = SeededGenerator(state: seed)
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

/// A JPEG file; `form` may change what the defaults say.
func jpeg(
  _ pixels: [UInt8], width: Int, height: Int, coding: jpeg_coding, app1: [UInt8] = [],
  form change: (inout jpeg_form) -> Void = { _ in }
) -> [UInt8] {
  app1.withUnsafeBufferPointer { app1 in
    var form = jpeg_form()
    form.width = Int32(width)
    form.height = Int32(height)
    form.quality = 100
    form.coding = coding
    form.horizontal_sampling = 1
    form.vertical_sampling = 1
    form.app1 = app1.isEmpty ? nil : app1.baseAddress
    form.app1_count = UInt32(app1.count)
    change(&form)
    var count = 0
    let bytes = encode_jpeg(&form, pixels, &count)
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}

/// A PNG file of packed rows.
func png(
  _ rows: [UInt8], width: Int, height: Int, depth: Int, color: PNGColor, interlaced: Bool = false,
  transparent: Bool = false, palette: [UInt8] = [], exif: [UInt8] = []
) -> [UInt8] {
  palette.withUnsafeBufferPointer { palette in
    exif.withUnsafeBufferPointer { exif in
      var form = png_form()
      form.width = UInt32(width)
      form.height = UInt32(height)
      form.bit_depth = Int32(depth)
      form.color_type = color.rawValue
      form.interlaced = interlaced
      form.transparent = transparent
      form.palette = palette.isEmpty ? nil : palette.baseAddress
      form.palette_count = Int32(palette.count / 3)
      form.exif = exif.isEmpty ? nil : exif.baseAddress
      form.exif_count = UInt32(exif.count)
      var count = 0
      let bytes = encode_png(&form, rows, &count)
      defer { free(bytes) }
      return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
  }
}

/// PNG's colour types, by their numbers in the file.
enum PNGColor: Int32, CaseIterable {
  case gray = 0
  case rgb = 2
  case palette = 3
  case grayAlpha = 4
  case rgbAlpha = 6

  var samples: Int {
    switch self {
    case .gray, .palette: 1
    case .grayAlpha: 2
    case .rgb: 3
    case .rgbAlpha: 4
    }
  }

  var depths: [Int] {
    switch self {
    case .gray: [1, 2, 4, 8, 16]
    case .palette: [1, 2, 4, 8]
    case .rgb, .grayAlpha, .rgbAlpha: [8, 16]
    }
  }
}

/// An EXIF block with the orientation as the second of two entries.
func exif(orientation: Int, bigEndian: Bool) -> [UInt8] {
  func number(_ value: Int, _ count: Int) -> [UInt8] {
    let digits = (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) }
    return bigEndian ? digits.reversed() : digits
  }
  let make = number(0x010F, 2) + number(2, 2) + number(1, 4) + number(0, 4)
  let turn = number(0x0112, 2) + number(3, 2) + number(1, 4) + number(orientation, 2) + [0, 0]
  return Array((bigEndian ? "MM" : "II").utf8) + number(42, 2) + number(8, 4) + number(2, 2) + make
    + turn + number(0, 4)
}
