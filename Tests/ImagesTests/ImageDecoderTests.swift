import CImageEncoders
import CZlib
import Glibc
import Testing

@testable import Images

struct ImageDecoderTests {
  @Test(arguments: [
    ([], "cat.jpg: not a JPEG or PNG image but an empty file; convert it"),
    (Array("GIF89a…".utf8), "cat.jpg: not a JPEG or PNG image but a GIF image; convert it"),
    (
      Array("RIFF....WEBPVP8 ".utf8),
      "cat.jpg: not a JPEG or PNG image but a WebP image; convert it"
    ),
    (Array("name: \"net\"".utf8), "cat.jpg: not a JPEG or PNG image"),
    ([0xFF, 0xD8], "cat.jpg: not a JPEG or PNG image"),
  ])
  func `judges by the content and says what else it is`(bytes: [UInt8], message: String) {
    let error = #expect(throws: ImageError.self) {
      try ImageDecoder.decode(bytes, name: "cat.jpg")
    }
    #expect(error?.description == message)
  }

  @Test func `names the file that cannot be read`() {
    #expect(throws: ImageError(file: "no/cat.jpg", reason: .unreadable(errno: ENOENT))) {
      try ImageDecoder.decode(contentsOf: "no/cat.jpg")
    }
    #expect(throws: ImageError(file: "/", reason: .unreadable(errno: EISDIR))) {
      try ImageDecoder.decode(contentsOf: "/")
    }
    // A device without end stops at the first limit it meets, here the sniffed prefix.
    #expect(throws: Never.self) { try ImageDecoder.recognizes(contentsOf: "/dev/zero") }
  }

  @Test func `survives damaged files of every kind`() {
    let pixels = noise(count: 12 * 10 * 3, seed: 5)
    var files = [
      png(pixels, width: 12, height: 10, depth: 8, color: .rgb, interlaced: true),
      png(
        Array(pixels.prefix(120)), width: 12, height: 10, depth: 8, color: .palette,
        transparent: true, palette: noise(count: 768, seed: 6)),
      png(
        Array(pixels.prefix(240)), width: 12, height: 10, depth: 16, color: .gray,
        exif: exif(orientation: 5, bigEndian: true)),
    ]
    for coding in [jpeg_coding_ycbcr, jpeg_coding_ycck, jpeg_coding_gray] {
      for progressive in [false, true] {
        files.append(
          jpeg(
            noise(count: 12 * 10 * 4, seed: 7), width: 12, height: 10, coding: coding,
            app1: Array("Exif\0\0".utf8) + exif(orientation: 6, bigEndian: false)
          ) {
            $0.progressive = progressive
            $0.quality = 50
            $0.restart_interval = 1
          })
      }
    }
    var generator = SeededGenerator(state: 12)
    var outcomes = (images: 0, errors: 0)
    for file in files {
      for _ in 0..<1000 {
        let damaged = mutated(file, using: &generator)
        do throws(ImageError) {
          let image = try ImageDecoder.decode(damaged, name: "damaged")
          // Damage may enlarge the picture, but never beyond what so few bytes can describe.
          #expect(image.samples.count <= file.count * 3 * 4096)
          outcomes.images += 1
        } catch {
          #expect(!error.description.contains("\n"))
          outcomes.errors += 1
        }
      }
    }
    // Both happen often, or the damage is not what this test means to try.
    #expect(outcomes.images > 500 && outcomes.errors > 2000)
  }

  private func mutated(
    _ file: [UInt8], using generator: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = file
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: bytes.removeLast(min(bytes.count - 1, place % 40))
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
      case 3: bytes[place] = 0xFF
      case 4: bytes[place] = 0
      default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
      if bytes.isEmpty { bytes = [0] }
    }
    return bytes
  }

  // Checksums of all pixels as Pillow 12 decodes them (`exif_transpose`, then the bytes of each
  // image, in the archive's order). Skipped where the shared data are not at hand.
  @Test(
    .enabled(if: SharedImages.areAvailable, "needs ../shared/data/imagenet-sample"),
    arguments: [
      ("images.tar", 1000, UInt32(0xD77F_992E)), ("originals.tar", 25, UInt32(0xF56A_616B)),
    ])
  func `decodes real photographs to the pixels Pillow gets`(
    archive: String, count: Int, checksum: UInt32
  ) throws {
    let files = try SharedImages.members(of: archive)
    #expect(files.count == count)
    var pixels = UInt(0)
    for (name, bytes) in files {
      let image = try ImageDecoder.decode(bytes, name: name)
      pixels = crc32_z(pixels, image.samples, image.samples.count)
    }
    #expect(UInt32(pixels) == checksum)
  }
}

/// The photographs beside the repository.
enum SharedImages {
  private static var folder: String {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    return "/\(root)/shared/data/imagenet-sample"
  }

  static var areAvailable: Bool { access("\(folder)/images.tar", R_OK) == 0 }

  /// The files of a tar archive, by the header fields of POSIX ustar.
  static func members(of archive: String) throws -> [(name: String, bytes: [UInt8])] {
    let tar = try FileContents.read("\(folder)/\(archive)", limit: 1 << 30)
    var members: [(String, [UInt8])] = []
    var position = 0
    while position + 512 <= tar.count, tar[position] != 0 {
      let header = tar[position..<position + 512]
      let name = String(decoding: header.prefix { $0 != 0 }.prefix(100), as: UTF8.self)
      let digits = header.dropFirst(124).prefix(12).filter { (0x30...0x37).contains($0) }
      let size = try #require(Int(String(decoding: digits, as: UTF8.self), radix: 8))
      if header[position + 156] == UInt8(ascii: "0") {
        members.append((name, Array(tar[position + 512..<position + 512 + size])))
      }
      position += 512 + (size + 511) / 512 * 512
    }
    return members
  }
}
