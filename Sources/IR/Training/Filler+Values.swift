import Foundation

extension Filler {
  /// Says what keeps this filler from filling arrays of `shape`: limits in the wrong order, a negative
  /// deviation, more kept inputs than outputs, or a bilinear kernel that is not square.
  public func check(_ shape: Shape) throws(ShapeError) {
    switch self {
    case .constant, .positiveUnitBall, .xavier, .msra: return
    case .uniform(let low, let high):
      guard low.isFinite, high.isFinite, low <= high else {
        throw ShapeError("a uniform filler from \(low) to \(high); min must not exceed max")
      }
    case .gaussian(_, let deviation, let sparse):
      guard deviation.isFinite, deviation >= 0 else {
        throw ShapeError("a gaussian filler of std \(deviation); it must not be negative")
      }
      guard let sparse else { return }
      let outputs = shape.axes == 0 ? 1 : shape[0]
      guard (0...outputs).contains(sparse) else {
        throw ShapeError("a gaussian filler of sparse \(sparse) on \(outputs) outputs")
      }
    case .bilinear:
      guard shape.axes == 4, shape[2] == shape[3] else {
        throw ShapeError("a bilinear filler on shape \(shape); it fills square kernels in 4 axes")
      }
    }
  }

  /// Fills an array of `shape`, row-major, with this filler's values, as Caffe's filler.hpp defines them.
  ///
  /// The numbers drawn depend on filler, shape and `random` alone.
  ///
  /// - Precondition: `values` has as many elements as `shape`, and `check` lets the shape pass.
  public func fill(
    _ values: UnsafeMutableBufferPointer<Float>, shape: Shape, random: inout RandomSource
  ) {
    precondition(values.count == shape.count, "a filler fills the whole array")
    switch self {
    case .constant(let value):
      values.update(repeating: value)
    case .uniform(let low, let high):
      Self.fillUniformly(values, Double(low), Double(high), &random)
    case .gaussian(let mean, let deviation, let sparse):
      Self.fillNormally(values, Double(mean), Double(deviation), &random)
      if let sparse {
        Self.thin(values, keeping: sparse, of: shape.axes == 0 ? 1 : shape[0], &random)
      }
    case .positiveUnitBall:
      Self.fillUniformly(values, 0, 1, &random)
      Self.normalizeRows(values, count: shape.axes == 0 ? 1 : shape[0])
    case .xavier(let fan):
      // Glorot and Bengio 2010, but for the fan.
      let limit = (3 / fan.count(of: shape)).squareRoot()
      Self.fillUniformly(values, -limit, limit, &random)
    case .msra(let fan):
      // He et al. 2015.
      Self.fillNormally(values, 0, (2 / fan.count(of: shape)).squareRoot(), &random)
    case .bilinear:
      Self.fillBilinearly(values, shape)
    }
  }

  private static func fillUniformly(
    _ values: UnsafeMutableBufferPointer<Float>, _ low: Double, _ high: Double,
    _ random: inout RandomSource
  ) {
    for index in values.indices {
      values[index] = Float(low + (high - low) * Double(random.unit()))
    }
  }

  private static func fillNormally(
    _ values: UnsafeMutableBufferPointer<Float>, _ mean: Double, _ deviation: Double,
    _ random: inout RandomSource
  ) {
    for index in values.indices { values[index] = Float(mean + deviation * random.normal()) }
  }

  /// Keeps each value with the probability `kept / outputs`; the others become 0.
  private static func thin(
    _ values: UnsafeMutableBufferPointer<Float>, keeping kept: Int, of outputs: Int,
    _ random: inout RandomSource
  ) {
    let probability = Float(kept) / Float(outputs)
    for index in values.indices where random.unit() >= probability { values[index] = 0 }
  }

  private static func normalizeRows(_ values: UnsafeMutableBufferPointer<Float>, count: Int) {
    let length = values.count / count
    for row in 0..<count {
      let range = row * length..<(row + 1) * length
      let sum = range.reduce(0) { $0 + Double(values[$1]) }
      // A row of zeros, one chance in 2^24 for rows of one, is spread evenly.
      for index in range {
        values[index] = sum > 0 ? Float(Double(values[index]) / sum) : 1 / Float(length)
      }
    }
  }

  private static func fillBilinearly(_ values: UnsafeMutableBufferPointer<Float>, _ shape: Shape) {
    let side = shape[3]
    let factor = Double((side + 1) / 2)
    let center = Double(side - 1) / (2 * factor)
    let taps = (0..<side).map { 1 - abs(Double($0) / factor - center) }
    for index in values.indices {
      values[index] = Float(taps[index % side] * taps[index / side % side])
    }
  }
}

extension Filler.Fan {
  /// The fan of an array: inputs = count / shape[0]; outputs = count / shape[1], or count of one axis.
  fileprivate func count(of shape: Shape) -> Double {
    let inputs = Double(shape.count / (shape.axes == 0 ? 1 : shape[0]))
    let outputs = Double(shape.axes > 1 ? shape.count / shape[1] : shape.count)
    switch self {
    case .fanIn: return inputs
    case .fanOut: return outputs
    case .average: return (inputs + outputs) / 2
    }
  }
}
