import Foundation

@testable import NumPy

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

/// An `.npy` file with the given dictionary as its header.
func npy(_ dictionary: String, data: [UInt8], version: UInt8 = 1) -> [UInt8] {
  let length = dictionary.utf8.count
  let lengthBytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(length >> (8 * $0) & 0xFF) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(dictionary.utf8) + data
}

func npy(type: String, shape: String, fortranOrder: Bool = false, data: [UInt8]) -> [UInt8] {
  let order = fortranOrder ? "True" : "False"
  return npy("{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }\n", data: data)
}

/// The bytes of numbers, in either order.
func stored<Number: FixedWidthInteger>(_ numbers: [Number], bigEndian: Bool = false) -> [UInt8] {
  numbers.flatMap { number in
    withUnsafeBytes(of: bigEndian ? number.bigEndian : number.littleEndian) { Array($0) }
  }
}

func storedFloats(_ values: [Float]) -> [UInt8] { stored(values.map(\.bitPattern)) }

/// A folder that is gone when the test is over.
final class TemporaryFolder {
  private let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("sparsec-arrays-\(UUID().uuidString)")

  var path: String { url.path }

  /// The names of what is in it.
  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  }

  func bytes(of name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: url.appendingPathComponent(name)))
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: url.appendingPathComponent(name))
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// A few kinds of damage at random places.
func damaged(_ file: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
  var bytes = file
  for _ in 0..<Int.random(in: 1...4, using: &generator) {
    let place = Int.random(in: 0..<bytes.count, using: &generator)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: bytes.removeLast(min(bytes.count - 1, place % 40))
    case 1 where bytes.count > 1: bytes.remove(at: place)
    case 2: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
    case 3: bytes[place] = 0xFF
    case 4: bytes[place] = UInt8.random(in: 0x30...0x39, using: &generator)
    default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    }
  }
  return bytes
}
