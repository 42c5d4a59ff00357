import CZlib
import Testing

@testable import Images

struct PNGDecodingTests {
  private let width = 13
  private let height = 9

  /// Random samples of a kind of PNG and what they should become.
  private struct Sample {
    var rows: [UInt8] = []
    var palette: [UInt8] = []
    var expected: [UInt8] = []

    init(color: PNGColor, depth: Int, width: Int, height: Int) {
      var generator = SeededGenerator(state: UInt64(depth) + UInt64(color.rawValue) << 8)
      let largest = (1 << depth) - 1
      if color == .palette {
        palette = noise(count: 3 << depth, seed: UInt64(depth))
      }
      for _ in 0..<height {
        var bits: [Bool] = []
        for _ in 0..<width {
          let values = (0..<color.samples).map { _ in
            Int.random(in: 0...largest, using: &generator)
          }
          for value in values {
            bits += (0..<depth).reversed().map { value >> $0 & 1 == 1 }
          }
          expected += Self.visible(values, color: color, depth: depth, palette: palette)
        }
        while bits.count % 8 != 0 { bits.append(false) }
        rows += stride(from: 0, to: bits.count, by: 8).map { start in
          bits[start..<start + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
        }
      }
    }

    /// The colour without its alpha; narrow gray is spread over 0...255, of 16 bits 8 are kept.
    private static func visible(
      _ values: [Int], color: PNGColor, depth: Int, palette: [UInt8]
    ) -> [UInt8] {
      switch color {
      case .palette: Array(palette[3 * values[0]..<3 * values[0] + 3])
      case .gray, .grayAlpha: [scaled(values[0], depth)]
      case .rgb, .rgbAlpha: values.prefix(3).map { scaled($0, depth) }
      }
    }

    private static func scaled(_ value: Int, _ depth: Int) -> UInt8 {
      depth == 16 ? UInt8(value >> 8) : UInt8(value * 255 / ((1 << depth) - 1))
    }
  }

  @Test(arguments: PNGColor.allCases, [false, true])
  func `decodes every colour type and depth exactly`(color: PNGColor, interlaced: Bool) throws {
    for depth in color.depths {
      let sample = Sample(color: color, depth: depth, width: width, height: height)
      let file = png(
        sample.rows, width: width, height: height, depth: depth, color: color,
        interlaced: interlaced, palette: sample.palette)
      let image = try ImageDecoder.decode(file, name: "a.png")
      let isGray = color == .gray || color == .grayAlpha
      #expect(image.color == (isGray ? .gray : .rgb), "depth \(depth)")
      #expect((image.width, image.height) == (width, height), "depth \(depth)")
      #expect(image.samples == sample.expected, "depth \(depth)")
    }
  }

  @Test(arguments: [PNGColor.gray, .rgb, .palette])
  func `ignores transparent colours`(color: PNGColor) throws {
    for depth in color.depths {
      let sample = Sample(color: color, depth: depth, width: width, height: height)
      let file = png(
        sample.rows, width: width, height: height, depth: depth, color: color, transparent: true,
        palette: sample.palette)
      let image = try ImageDecoder.decode(file, name: "a.png")
      #expect(image.samples == sample.expected, "depth \(depth)")
    }
  }

  @Test func `refuses every file that ends early`() {
    let rows = gradient(width: 16, height: 12, samples: 3)
    let file = png(rows, width: 16, height: 12, depth: 8, color: .rgb, interlaced: true)
    for count in 0..<file.count {
      #expect(throws: ImageError.self, "\(count) of \(file.count) bytes") {
        try ImageDecoder.decode(Array(file.prefix(count)), name: "a.png")
      }
    }
  }

  @Test func `refuses a damaged byte of the pixels`() throws {
    let rows = gradient(width: 16, height: 12, samples: 3)
    var file = png(rows, width: 16, height: 12, depth: 8, color: .rgb)
    let data = try #require(file.indices.first { file[$0...].starts(with: "IDAT".utf8) })
    file[data + 20] ^= 0x10
    let error = #expect(throws: ImageError.self) { try ImageDecoder.decode(file, name: "a.png") }
    #expect(String(describing: error).contains("a.png: damaged PNG image: "))
  }

  @Test func `refuses sizes that the file cannot hold before taking memory for them`() {
    func message(width: UInt32, height: UInt32) -> String {
      var head = Array("IHDR".utf8)
      for side in [width, height] { head += (0..<4).map { UInt8(side >> (24 - 8 * $0) & 0xFF) } }
      head += [8, 2, 0, 0, 0]
      let checksum = crc32_z(0, head, head.count)
      var file: [UInt8] = [0x89] + Array("PNG\r\n\u{1A}\n".utf8) + [0, 0, 0, 13] + head
      file += (0..<4).map { UInt8(checksum >> (24 - 8 * $0) & 0xFF) }
      file += [0, 0, 0, 0] + Array("IDAT".utf8) + [0x35, 0xAF, 0x06, 0x1E]
      return String(
        describing: #expect(throws: ImageError.self) {
          try ImageDecoder.decode(file, name: "bomb.png")
        })
    }
    #expect(message(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF).contains("the limit of 2^28"))
    #expect(message(width: 1 << 20, height: 1 << 9).contains("the limit of 2^28"))
    #expect(message(width: 1 << 14, height: 1 << 14).contains("too few for 16384 x 16384 pixels"))
  }
}
