import Foundation

/// An axis of a diagram: where values lie on it, and where it has marks.
struct Axis {
  struct Tick: Hashable {
    var value: Double
    var text: String
  }

  /// Whether equal distances are equal factors.
  let isLogarithmic: Bool
  let low: Double
  let high: Double
  let ticks: [Tick]

  /// An axis of whole steps of 1, 2 or 5 times a power of ten that contains all values.
  ///
  /// - Parameter marks: about how many ticks there is room for.
  init(linear values: ClosedRange<Double>, marks: Int) {
    var (low, high) = (values.lowerBound, values.upperBound)
    if high - low <= max(abs(low), abs(high)) * 1e-9 {
      let room = max(abs(high) * 0.1, 1e-6)
      (low, high) = (low - room, high + room)
    }
    let step = Self.step(atLeast: (high - low) / Double(max(1, marks)))
    let (first, last) = ((low / step).rounded(.down), (high / step).rounded(.up))
    isLogarithmic = false
    self.low = first * step
    self.high = last * step
    ticks = stride(from: first, through: last, by: 1).map {
      Tick(value: $0 * step, text: Self.text($0 * step, step: step))
    }
  }

  /// An axis of powers of ten.
  init(logarithmic values: ClosedRange<Double>) {
    let first = log10(values.lowerBound).rounded(.down)
    let last = max(first + 1, log10(values.upperBound).rounded(.up))
    isLogarithmic = true
    low = pow(10, first)
    high = pow(10, last)
    ticks = stride(from: first, through: last, by: 1).map { power in
      Tick(value: pow(10, power), text: Self.text(pow(10, power), step: pow(10, power)))
    }
  }

  /// Logarithmic if all values are above 0 and span two decades, but not so many that marks would crowd.
  static func fitting(_ values: ClosedRange<Double>, marks: Int) -> Axis {
    let span = values.upperBound / values.lowerBound
    return values.lowerBound > 0 && span > 100 && span < 1e12
      ? Axis(logarithmic: values) : Axis(linear: values, marks: marks)
  }

  /// Where a value lies: 0 at the low end, 1 at the high one.
  func position(of value: Double) -> Double {
    isLogarithmic
      ? log(value / low) / log(high / low) : (value - low) / (high - low)
  }

  private static func step(atLeast width: Double) -> Double {
    let power = pow(10, log10(width).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= width * 0.999_999 } ?? 10 * power
  }

  /// A value with as many decimals as the step has; thousands as `120k`.
  private static func text(_ value: Double, step: Double) -> String {
    if value != 0, abs(value) >= 1e12 || step < 1e-6 {
      // As many digits as tell neighbours apart.
      let digits = log10(abs(value)).rounded(.down) - log10(step).rounded(.down)
      return String(format: "%.\(Int(min(max(digits, 0), 16)))e", value)
    }
    if step >= 1000 || (value != 0 && step >= 100 && abs(value) >= 10_000) {
      return value == 0 ? "0" : String(format: "%.\(step < 1000 ? 1 : 0)fk", value / 1000)
    }
    let decimals = max(0, Int(-log10(step * 1.000_001).rounded(.down)))
    // Not "-0".
    return String(format: "%.\(decimals)f", abs(value) < step / 2 ? 0 : value)
  }
}
