import IR

/// Which numbers a random tensor holds.
public enum RandomNumbers: Sendable {
  /// Uniform in -limit ... limit.
  case real(limit: Float)
  /// Integers from -limit to limit: sums of products of a few stay exact in float32, in any order.
  case integers(limit: Int)

  /// One number.
  public func next(_ random: inout SeededGenerator) -> Float {
    switch self {
    case .real(let limit): Float.random(in: -limit...limit, using: &random)
    case .integers(let limit): Float(random.integer(-limit...limit))
    }
  }
}

extension Tensor {
  /// A tensor of random numbers.
  public static func random(
    _ shape: Shape, _ numbers: RandomNumbers = .real(limit: 1), _ random: inout SeededGenerator
  ) -> Tensor {
    Tensor(shape: shape, values: (0..<shape.count).map { _ in numbers.next(&random) })
  }

  /// A tensor of random numbers, from a seed.
  public static func random(
    _ extents: [Int], _ numbers: RandomNumbers = .real(limit: 1), seed: UInt64
  ) throws(ShapeError) -> Tensor {
    var random = SeededGenerator(seed: seed)
    return .random(try Shape(extents), numbers, &random)
  }
}
