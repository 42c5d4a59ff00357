import Foundation
import IR

/// Draws digits of 28x28 pixels as if by many hands: turned, slanted, scaled, bent, with pens of different widths, a
/// stray line here and there, and noise.
struct DigitPainter {
  static let side = 28
  private var random: RandomSource

  init(seed: UInt64, stream: UInt64) { random = RandomSource(seed: seed, stream: stream) }

  /// A digit and its image, row-major, 0 (background) to 255 (ink).
  mutating func next() -> (digit: Int, pixels: [UInt8]) {
    let digit = random.index(below: 10)
    let hands = DigitStrokes.hands(of: digit)
    var strokes = hands[random.index(below: hands.count)]
    strokes = bent(strokes)
    if random.unit() < 0.15 { strokes.append(strayLine()) }
    return (digit, pixels(of: strokes, halfWidth: between(0.022, 0.058), ink: between(170, 255)))
  }

  private mutating func between(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(random.unit())
  }

  /// An affine map and a slow wave.
  private mutating func bent(_ strokes: [DigitStrokes.Stroke]) -> [DigitStrokes.Stroke] {
    let angle = between(-0.28, 0.28)
    let slant = between(-0.3, 0.3)
    let (width, height) = (between(0.65, 1.1), between(0.7, 1.05))
    let (right, down) = (between(-0.1, 0.1), between(-0.1, 0.1))
    let (wave, phase, pitch) = (between(0, 0.05), between(0, 6.28), between(3, 9))
    return strokes.map { stroke in
      stroke.map { point in
        let x =
          (point.x - 0.5) * width + slant * (0.5 - point.y) + wave * sin(pitch * point.y + phase)
        let y = (point.y - 0.5) * height + wave * sin(pitch * point.x - phase)
        return Point(
          x: 0.5 + right + x * cos(angle) - y * sin(angle),
          y: 0.5 + down + x * sin(angle) + y * cos(angle))
      }
    }
  }

  private mutating func strayLine() -> DigitStrokes.Stroke {
    let (x, y) = (between(0, 1), between(0, 1))
    return [Point(x: x, y: y), Point(x: x + between(-0.3, 0.3), y: y + between(-0.3, 0.3))]
  }

  /// Ink fades over one pixel at the pen's edge.
  private mutating func pixels(
    of strokes: [DigitStrokes.Stroke], halfWidth: Double, ink: Double
  ) -> [UInt8] {
    let side = Self.side
    let noise = between(4, 26)
    var result: [UInt8] = []
    result.reserveCapacity(side * side)
    for row in 0..<side {
      for column in 0..<side {
        let here = Point(
          x: (Double(column) + 0.5) / Double(side), y: (Double(row) + 0.5) / Double(side))
        let distance = strokes.lazy.map { Self.distance(from: here, to: $0) }.min() ?? 1
        let cover = min(1, max(0, (halfWidth - distance) * Double(side) + 0.5))
        let value = cover * ink + random.normal() * noise
        result.append(UInt8(min(255, max(0, value))))
      }
    }
    return result
  }

  private static func distance(from p: Point, to stroke: DigitStrokes.Stroke) -> Double {
    var best = Double.infinity
    for (a, b) in zip(stroke, stroke.dropFirst()) {
      let (dx, dy) = (b.x - a.x, b.y - a.y)
      let length = dx * dx + dy * dy
      let t = length == 0 ? 0 : min(1, max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length))
      let (x, y) = (p.x - a.x - t * dx, p.y - a.y - t * dy)
      best = min(best, x * x + y * y)
    }
    return best.squareRoot()
  }
}
