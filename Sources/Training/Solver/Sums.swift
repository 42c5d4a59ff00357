/// Sums over arrays in double precision, eight partial sums at a time: always in the same order.
enum Sums {
  static func squares(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    var lanes = SIMD8<Double>.zero
    let whole = count & ~7
    var i = 0
    while i < whole {
      let part = SIMD8<Double>(load(values + i))
      lanes += part * part
      i += 8
    }
    var sum = lanes.sum()
    for j in whole..<count { sum += Double(values[j]) * Double(values[j]) }
    return sum
  }

  static func magnitudes(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    var lanes = SIMD8<Double>.zero
    let whole = count & ~7
    var i = 0
    while i < whole {
      let part = load(values + i)
      lanes += SIMD8<Double>(part.replacing(with: -part, where: part .< 0))
      i += 8
    }
    var sum = lanes.sum()
    for j in whole..<count { sum += Double(abs(values[j])) }
    return sum
  }

  private static func load(_ values: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(values).loadUnaligned(as: SIMD8<Float>.self)
  }
}
