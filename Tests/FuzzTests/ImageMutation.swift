import CZlib
import TestSupport

/// Damage to pictures that gets past the checksums in front of the decoders.
enum ImageMutation {
  /// Damages a file; half of the damaged PNG files get checksums that fit again.
  static func damage(
    _ bytes: [UInt8], other: [UInt8], using random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = bytes
    if random.chance(0.2) { resize(&bytes, using: &random) }
    bytes = ByteMutation.damage(bytes, other: other, using: &random)
    if random.chance(0.5) { repairChecksums(of: &bytes) }
    return bytes
  }

  /// Writes strange sides where a PNG or a JPEG says how large it is.
  private static func resize(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
    let sides: [UInt32] = [0, 1, 2, 255, 4096, 16384, 65500, 65535, 65536, 1 << 28, 1 << 31, .max]
    let side = random.pick(sides).bigEndianBytes
    if bytes.starts(with: signature), bytes.count >= 24 {
      let at = random.pick([16, 20])
      bytes.replaceSubrange(at..<at + 4, with: side)
      return
    }
    // A JPEG's frame header: marker C0...C2, length, precision, height, width.
    for at in bytes.indices.dropLast(9)
    where bytes[at] == 0xff && (0xc0...0xc2).contains(bytes[at + 1]) {
      let place = at + random.pick([5, 7])
      bytes.replaceSubrange(place..<place + 2, with: side[2...])
      return
    }
  }

  private static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Puts the right CRC behind every chunk of a PNG that is whole.
  private static func repairChecksums(of bytes: inout [UInt8]) {
    guard bytes.starts(with: signature) else { return }
    var at = signature.count
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = at + 8 + length
      guard end + 4 <= bytes.count else { return }
      let crc = bytes[at + 4..<end].withUnsafeBufferPointer {
        CZlib.crc32(0, $0.baseAddress, UInt32($0.count))
      }
      bytes.replaceSubrange(end..<end + 4, with: UInt32(crc).bigEndianBytes)
      at = end + 4
    }
  }
}

extension UInt32 {
  /// The number as files of pictures hold it.
  fileprivate var bigEndianBytes: [UInt8] { (0..<4).map { UInt8(self >> (24 - 8 * $0) & 0xff) } }
}
