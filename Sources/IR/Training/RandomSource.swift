import Foundation

/// Pseudo-random numbers that are the same in every run: xoshiro256** (Blackman and Vigna 2018), seeded by
/// splitmix64.
public struct RandomSource: RandomNumberGenerator, Hashable, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)
  /// The second of a pair of normal deviates.
  private var spare: Double?

  /// - Parameter stream: different streams of one seed are independent.
  public init(seed: UInt64, stream: UInt64 = 0) {
    var mixed = seed &+ stream &* 0xd134_2543_de82_ef95
    func next() -> UInt64 {
      mixed = mixed &+ 0x9e37_79b9_7f4a_7c15
      var z = mixed
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    state = (next(), next(), next(), next())
  }

  public mutating func next() -> UInt64 {
    func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotated(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotated(state.3, 45)
    return result
  }

  /// Uniform in [0, 1), 24 bits.
  public mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in 0..<count, without bias.
  public mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

  /// Normal deviate of mean 0 and deviation 1 (Box and Muller 1958).
  public mutating func normal() -> Double {
    if let ready = spare {
      spare = nil
      return ready
    }
    let u = (Double(next() >> 11) + 1) * 0x1p-53
    let angle = 2 * Double.pi * Double(next() >> 11) * 0x1p-53
    let radius = (-2 * log(u)).squareRoot()
    spare = radius * sin(angle)
    return radius * cos(angle)
  }

  /// Everything that the coming numbers depend on, 41 bytes.
  public var bytes: [UInt8] {
    var result: [UInt8] = []
    for word in [state.0, state.1, state.2, state.3, spare?.bitPattern ?? 0] {
      for shift in 0..<8 { result.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(shift)))) }
    }
    return result + [spare == nil ? 0 : 1]
  }

  /// The state that `bytes` gave; nil if there are not 41.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 41 else { return nil }
    let words = (0..<5).map { word in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[word * 8 + $1]) << (8 * UInt64($1)) }
    }
    state = (words[0], words[1], words[2], words[3])
    spare = bytes[40] == 0 ? nil : Double(bitPattern: words[4])
  }

  public static func == (a: RandomSource, b: RandomSource) -> Bool { a.bytes == b.bytes }
  public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
