import CImageEncoders
import Testing

@testable import Images

struct OrientationTests {
  /// Where row 0 and column 0 of the stored pixels belong, in the words of the EXIF standard.
  private static let firstRowAndColumn: [(row: String, column: String)] = [
    ("top", "left"), ("top", "right"), ("bottom", "right"), ("bottom", "left"), ("left", "top"),
    ("right", "top"), ("right", "bottom"), ("left", "bottom"),
  ]

  /// The picture seen upright: each stored pixel goes where the standard puts it.
  private func upright(_ image: Image, _ orientation: Orientation) -> [UInt8] {
    let (row, column) = Self.firstRowAndColumn[orientation.rawValue - 1]
    let isTurned = row == "left" || row == "right"
    let (width, height) = isTurned ? (image.height, image.width) : (image.width, image.height)
    var result = [UInt8](repeating: 0, count: image.samples.count)
    for y in 0..<image.height {
      for x in 0..<image.width {
        var place = (x: 0, y: 0)
        for (edge, distance) in [(row, y), (column, x)] {
          switch edge {
          case "top": place.y = distance
          case "bottom": place.y = height - 1 - distance
          case "left": place.x = distance
          default: place.x = width - 1 - distance
          }
        }
        for sample in 0..<image.color.sampleCount {
          let count = image.color.sampleCount
          result[(place.y * width + place.x) * count + sample] =
            image.samples[(y * image.width + x) * count + sample]
        }
      }
    }
    return result
  }

  @Test(arguments: Orientation.allCases, [Image.Color.gray, .rgb])
  func `turns pictures as the standard says`(orientation: Orientation, color: Image.Color) {
    let image = Image(
      width: 5, height: 3, color: color, samples: noise(count: 15 * color.rawValue, seed: 3))
    let turned = image.turned(upright: orientation)
    #expect(turned.samples == upright(image, orientation))
    #expect((turned.width, turned.height) == (orientation.rawValue < 5 ? (5, 3) : (3, 5)))
  }

  @Test(arguments: Orientation.allCases, [false, true])
  func `obeys the tag in JPEG and PNG files`(orientation: Orientation, bigEndian: Bool) throws {
    let block = exif(orientation: orientation.rawValue, bigEndian: bigEndian)
    let pixels = gradient(width: 20, height: 12, samples: 3)
    let stored = Image(width: 20, height: 12, color: .rgb, samples: pixels)
    let fromPNG = try ImageDecoder.decode(
      png(pixels, width: 20, height: 12, depth: 8, color: .rgb, exif: block), name: "a.png")
    #expect(fromPNG == stored.turned(upright: orientation))

    func decodedJPEG(_ app1: [UInt8]) throws -> Image {
      try ImageDecoder.decode(
        jpeg(pixels, width: 20, height: 12, coding: jpeg_coding_ycbcr, app1: app1), name: "a.jpg")
    }
    let fromJPEG = try decodedJPEG(Array("Exif\0\0".utf8) + block)
    #expect(try fromJPEG == decodedJPEG([]).turned(upright: orientation))
  }

  @Test(arguments: [0, 9, 255, 65535])
  func `takes invalid numbers for upright`(value: Int) {
    #expect(Orientation(exif: exif(orientation: value, bigEndian: true)) == .upright)
  }

  @Test func `takes damaged blocks for upright and never reads beyond them`() {
    let block = exif(orientation: 6, bigEndian: false)
    #expect(Orientation(exif: block) == .turnClockwise)
    // The last 6 bytes (padding of the value, offset of the next directory) do not matter.
    for count in 0..<block.count - 6 {
      #expect(Orientation(exif: block.prefix(count)) == .upright, "\(count) bytes")
    }
    var generator = SeededGenerator(state: 11)
    for _ in 0..<5000 {
      var damaged = block
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<block.count, using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
      }
      #expect(Orientation.allCases.contains(Orientation(exif: damaged)))
    }
  }
}
