import Foundation

/// A point of a drawing in the unit square; y grows downwards.
struct Point {
  var x: Double
  var y: Double
}

/// How the ten digits are written: strokes as chains of points, several hands for some.
enum DigitStrokes {
  typealias Stroke = [Point]

  /// The ways to write a digit, 0 to 9.
  static func hands(of digit: Int) -> [[Stroke]] { all[digit] }

  private static func line(_ points: (Double, Double)...) -> Stroke {
    points.map { Point(x: $0.0, y: $0.1) }
  }

  /// Part of an ellipse, angles in turns, clockwise from the right.
  private static func arc(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ from: Double, _ to: Double
  ) -> Stroke {
    (0...16).map { step in
      let angle = 2 * Double.pi * (from + (to - from) * Double(step) / 16)
      return Point(x: x + width * cos(angle), y: y + height * sin(angle))
    }
  }

  private static let all: [[[Stroke]]] = [
    [[arc(0.5, 0.5, 0.24, 0.36, 0, 1)], [arc(0.5, 0.5, 0.17, 0.38, 0, 1)]],
    [
      [line((0.36, 0.28), (0.54, 0.13), (0.54, 0.87))],
      [line((0.5, 0.12), (0.5, 0.88))],
      [line((0.36, 0.28), (0.54, 0.13), (0.54, 0.87)), line((0.34, 0.87), (0.72, 0.87))],
    ],
    [
      [arc(0.5, 0.32, 0.22, 0.2, 0.5, 1.1) + line((0.28, 0.86), (0.76, 0.86))],
      [
        arc(0.5, 0.32, 0.22, 0.2, 0.5, 1.1)
          + arc(0.36, 0.8, 0.08, 0.08, 0.5, 1.0) + line((0.58, 0.88), (0.78, 0.82))
      ],
    ],
    [
      [arc(0.46, 0.31, 0.2, 0.18, 0.55, 1.25) + arc(0.46, 0.68, 0.24, 0.19, 0.75, 1.45)],
      [
        line((0.28, 0.14), (0.7, 0.14), (0.46, 0.44))
          + arc(0.46, 0.66, 0.24, 0.21, 0.75, 1.45)
      ],
    ],
    [
      [line((0.6, 0.88), (0.6, 0.12), (0.24, 0.64), (0.8, 0.64))],
      [line((0.32, 0.14), (0.28, 0.54), (0.76, 0.54)), line((0.66, 0.14), (0.62, 0.88))],
    ],
    [
      [
        line((0.72, 0.14), (0.34, 0.14), (0.31, 0.47))
          + arc(0.47, 0.65, 0.24, 0.22, 0.62, 1.4)
      ],
      [line((0.7, 0.16), (0.36, 0.14), (0.32, 0.44)) + arc(0.45, 0.66, 0.27, 0.2, 0.68, 1.35)],
    ],
    [
      [arc(0.66, 0.5, 0.36, 0.4, 0.76, 0.5) + arc(0.5, 0.68, 0.2, 0.19, 0.5, 1.5)],
      [line((0.6, 0.12), (0.36, 0.5)) + arc(0.51, 0.68, 0.18, 0.2, 0.55, 1.55)],
    ],
    [
      [line((0.26, 0.14), (0.76, 0.14), (0.44, 0.88))],
      [
        line((0.26, 0.16), (0.74, 0.14), (0.46, 0.88)), line((0.4, 0.5), (0.7, 0.48)),
      ],
    ],
    [
      [arc(0.5, 0.31, 0.18, 0.18, 0.25, 1.25) + arc(0.5, 0.68, 0.22, 0.19, 0.75, 1.75)],
      [
        arc(0.5, 0.3, 0.2, 0.17, 0, -0.75) + arc(0.5, 0.68, 0.2, 0.2, 0.75, 1.7)
          + line((0.64, 0.4), (0.7, 0.28))
      ],
    ],
    [
      [arc(0.48, 0.33, 0.2, 0.2, 0, 1) + line((0.68, 0.33), (0.62, 0.88))],
      [arc(0.48, 0.32, 0.19, 0.19, 0, 1) + arc(0.42, 0.5, 0.26, 0.37, -0.05, 0.3)],
    ],
  ]
}
