import CImageEncoders
import Testing

@testable import Images

struct JPEGDecodingTests {
  private let width = 37
  private let height = 29

  /// The largest difference of two sample rows.
  private func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    zip(first, second).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  @Test(arguments: [jpeg_coding_rgb, jpeg_coding_ycbcr], [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1)])
  func `decodes colour at every sampling`(coding: jpeg_coding, sampling: (Int32, Int32)) throws {
    let pixels = gradient(width: width, height: height, samples: 3)
    let file = jpeg(pixels, width: width, height: height, coding: coding) {
      ($0.horizontal_sampling, $0.vertical_sampling) = sampling
    }
    let image = try ImageDecoder.decode(file, name: "a.jpg")
    #expect((image.width, image.height) == (width, height))
    #expect(image.color == .rgb)
    // Chroma at half or a quarter of the resolution is blurred at the picture's steps.
    #expect(distance(image.samples, pixels) <= (sampling == (1, 1) ? 3 : 14))
  }

  @Test func `keeps gray images gray`() throws {
    let pixels = gradient(width: width, height: height, samples: 1)
    let file = jpeg(pixels, width: width, height: height, coding: jpeg_coding_gray)
    let image = try ImageDecoder.decode(file, name: "a.jpg")
    #expect(image.color == .gray)
    #expect(distance(image.samples, pixels) <= 2)
  }

  @Test(arguments: [jpeg_coding_cmyk, jpeg_coding_ycck])
  func `reads four components as inverted ink`(coding: jpeg_coding) throws {
    let pixels = gradient(width: width, height: height, samples: 4)
    let file = jpeg(pixels, width: width, height: height, coding: coding)
    let image = try ImageDecoder.decode(file, name: "a.jpg")
    let expected = (0..<width * height).flatMap { pixel in
      (0..<3).map { UInt8(Int(pixels[4 * pixel + $0]) * Int(pixels[4 * pixel + 3]) / 255) }
    }
    #expect(image.color == .rgb)
    #expect(distance(image.samples, expected) <= 4)
  }

  @Test func `gets the same pixels however the coefficients are stored`() throws {
    // Progression, restart markers and arithmetic coding change the order and coding of the same
    // coefficients, so that not a single bit of the result may differ.
    let pixels = noise(count: width * height * 3, seed: 1)
    func decoded(_ change: (inout jpeg_form) -> Void) throws -> Image {
      let file = jpeg(pixels, width: width, height: height, coding: jpeg_coding_ycbcr) {
        ($0.horizontal_sampling, $0.vertical_sampling) = (2, 2)
        change(&$0)
      }
      return try ImageDecoder.decode(file, name: "a.jpg")
    }
    let baseline = try decoded { _ in }
    #expect(try decoded { $0.progressive = true } == baseline)
    #expect(try decoded { $0.restart_interval = 2 } == baseline)
    #expect(try decoded { $0.arithmetic = true } == baseline)
  }

  @Test(arguments: [false, true])
  func `refuses every file that ends early`(progressive: Bool) {
    let pixels = gradient(width: 24, height: 20, samples: 3)
    let file = jpeg(pixels, width: 24, height: 20, coding: jpeg_coding_ycbcr) {
      $0.progressive = progressive
      $0.quality = 60
    }
    for count in 0..<file.count {
      #expect(throws: ImageError.self, "\(count) of \(file.count) bytes") {
        try ImageDecoder.decode(Array(file.prefix(count)), name: "a.jpg")
      }
    }
  }

  @Test func `refuses sizes that the file cannot hold before taking memory for them`() throws {
    let pixels = gradient(width: 8, height: 8, samples: 1)
    var file = jpeg(pixels, width: 8, height: 8, coding: jpeg_coding_gray)
    let frame = try #require(file.indices.first { file[$0...].starts(with: [0xFF, 0xC0]) })
    func message(height: Int, width: Int) -> String {
      file.replaceSubrange(
        frame + 5..<frame + 9,
        with: [height >> 8, height & 0xFF, width >> 8, width & 0xFF].map { UInt8($0) })
      return String(
        describing: #expect(throws: ImageError.self) {
          try ImageDecoder.decode(file, name: "bomb.jpg")
        })
    }
    #expect(message(height: 65500, width: 65500).contains("more than the limit of 2^28"))
    #expect(message(height: 16000, width: 16000).contains("too few for 16000 x 16000 pixels"))
  }

  @Test func `refuses a progressive file that repeats its scans without end`() throws {
    let pixels = gradient(width: 8, height: 8, samples: 1)
    let file = jpeg(pixels, width: 8, height: 8, coding: jpeg_coding_gray) {
      $0.progressive = true
    }
    let scan = try #require(file.indices.last { file[$0...].starts(with: [0xFF, 0xDA]) })
    let end = file.count - 2
    let repeated = Array(repeating: file[scan..<end], count: 1000).flatMap { $0 }
    let error = #expect(throws: ImageError.self) {
      try ImageDecoder.decode(file[..<scan] + repeated + file[end...], name: "bomb.jpg")
    }
    #expect(String(describing: error).contains("more than 500 scans"))
  }
}
