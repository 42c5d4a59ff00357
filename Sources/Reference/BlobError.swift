import IR

/// How far a blob is from what it should be.
///
/// The error is max|a - b| / max|b|, over the elements that are numbers. NaN agrees with NaN, and
/// an infinity with the same infinity; NaN or an infinity against anything else is an infinite
/// error, and so is any difference from a blob of zeros. Two blobs of zeros have error 0.
public struct BlobError: Hashable, Sendable {
  /// The error; 0 if the blobs agree, infinity where they cannot be compared.
  public var relative: Double
  /// max|a - b| over finite elements, or infinity.
  public var absolute: Double
  /// max|b| over finite elements.
  public var scale: Double
  /// The place of the largest difference, one number per axis; nil if there is none.
  public var index: [Int]?
  /// The two values there.
  public var values: (result: Float, expected: Float)? {
    resultThere.flatMap { result in expectedThere.map { (result, $0) } }
  }

  private var resultThere: Float?
  private var expectedThere: Float?

  /// The error of `result` against `expected`.
  ///
  /// - Precondition: both have the same shape.
  public init(of result: Tensor, against expected: Tensor) {
    precondition(result.shape == expected.shape, "only blobs of one shape are compared")
    var worst = 0.0
    var place: Int?
    var scale = 0.0
    for position in 0..<expected.count {
      let (a, b) = (result.values[position], expected.values[position])
      if b.isFinite { scale = max(scale, Double(abs(b))) }
      let difference = Self.distance(a, b)
      if difference > worst {
        worst = difference
        place = position
      }
    }
    self.scale = scale
    absolute = worst
    relative = worst == 0 ? 0 : worst / scale
    index = place.map { Self.index(of: $0, in: expected.shape) }
    resultThere = place.map { result.values[$0] }
    expectedThere = place.map { expected.values[$0] }
  }

  private static func distance(_ a: Float, _ b: Float) -> Double {
    if a == b || (a.isNaN && b.isNaN) { return 0 }
    guard a.isFinite, b.isFinite else { return .infinity }
    return abs(Double(a) - Double(b))
  }

  private static func index(of position: Int, in shape: Shape) -> [Int] {
    var rest = position
    return shape.extents.reversed().map { extent in
      defer { rest /= extent }
      return rest % extent
    }.reversed()
  }
}

extension BlobError: CustomStringConvertible {
  /// `2.1e-07 at [0,3,1,1]: 0.5 instead of 0.4999`.
  public var description: String {
    guard let index, let values else { return "0" }
    let place = "[" + index.map(String.init).joined(separator: ",") + "]"
    return "\(relative) at \(place): \(values.result) instead of \(values.expected)"
  }
}
