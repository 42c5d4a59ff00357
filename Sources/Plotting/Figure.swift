import Foundation
import IR

/// Diagrams of training runs, one below the other: loss, accuracy, sparsity, each over iterations.
public struct Figure: Sendable {
  /// What a name of a file to draw into ends with.
  public static let endings = Canvas.Format.allCases.map(\.rawValue)

  private let panels: [Panel]
  private let axis: Axis

  private static let width = 960.0
  private static let margin = (left: 70.0, right: 16.0, top: 34.0, bottom: 46.0)
  private static let legendWidth = 230.0

  /// Diagrams of all logs together; quantities that no log has are left out.
  ///
  /// - Precondition: there is a log; every log has a point, as those that were read do.
  public init(_ logs: [TrainingLog]) {
    let iterations = logs.flatMap(\.curves).flatMap(\.points).map { Double($0.iteration) }
    guard let first = iterations.min(), let last = iterations.max() else {
      preconditionFailure("a figure has points")
    }
    axis = Axis(linear: first...last, marks: 8)
    panels = TrainingLog.Quantity.allCases.compactMap { Panel($0, logs: logs) }
  }

  /// Draws into a new file.
  ///
  /// - Parameters:
  ///   - path: where to draw.
  ///   - ending: one of `endings`, which says the format.
  /// - Throws: one line, if the file cannot be written or the ending is another one.
  public func write(to path: String, ending: String) throws(Diagnostic) {
    guard let format = Canvas.Format(rawValue: ending.lowercased()) else {
      let known = Self.endings.map { ".\($0)" }.joined(separator: " or ")
      throw .error("is no kind of file to draw into; name one that ends in \(known)", file: path)
    }
    let around = Self.margin.top + Self.margin.bottom
    let canvas = try Canvas(
      path, format, width: Self.width, height: panels.reduce(0) { $0 + $1.height + around })
    var top = 0.0
    for panel in panels {
      draw(panel, on: canvas, top: top)
      top += panel.height + around
    }
    try canvas.finish()
  }

  private func draw(_ panel: Panel, on canvas: Canvas, top: Double) {
    let frame = Frame(
      left: Self.margin.left, top: top + Self.margin.top,
      width: Self.width - Self.margin.left - Self.margin.right - Self.legendWidth,
      height: panel.height)
    canvas.text(panel.quantity.rawValue, at: (frame.left, top + 18), size: 13)
    drawGrid(panel, frame, canvas)
    canvas.clipped(to: (frame.left, frame.top - 2, frame.width, frame.height + 4)) {
      for line in panel.lines { draw(line, panel, frame, canvas) }
    }
    drawLegend(panel, frame, canvas)
  }

  private func drawGrid(_ panel: Panel, _ frame: Frame, _ canvas: Canvas) {
    for tick in axis.ticks {
      let x = frame.x(axis.position(of: tick.value))
      canvas.line(from: (x, frame.top), to: (x, frame.bottom), .grid)
      canvas.text(tick.text, at: (x, frame.bottom + 13), size: 10, align: .center)
    }
    for tick in panel.axis.ticks {
      let y = frame.y(panel.axis.position(of: tick.value))
      canvas.line(from: (frame.left, y), to: (frame.right, y), .grid)
      canvas.text(tick.text, at: (frame.left - 7, y), size: 10, align: .right)
    }
    canvas.line(from: (frame.left, frame.top), to: (frame.left, frame.bottom), .black)
    canvas.line(from: (frame.left, frame.bottom), to: (frame.right, frame.bottom), .black)
    canvas.text(
      "iteration", at: (frame.left + frame.width / 2, frame.bottom + 29), size: 10, align: .center)
  }

  private func draw(_ line: Panel.Line, _ panel: Panel, _ frame: Frame, _ canvas: Canvas) {
    let points = line.curve.points.map { point in
      (
        x: frame.x(axis.position(of: Double(point.iteration))),
        y: frame.y(panel.axis.position(of: point.value))
      )
    }
    canvas.path(points, line.color, width: line.width, dashes: line.dashes)
    guard let first = points.first, let last = points.last else { return }
    let spacing = (last.x - first.x) / Double(max(1, points.count - 1))
    // A curve of one point would not be seen.
    guard line.curve.isOfTests && spacing > 7 || points.count == 1 else { return }
    for point in points { canvas.disc(at: point, radius: 2.4, line.color) }
  }

  private func drawLegend(_ panel: Panel, _ frame: Frame, _ canvas: Canvas) {
    let left = frame.right + 14
    let room = Int(frame.height / Panel.legendStep)
    let isComplete = panel.lines.count <= room
    let shown = isComplete ? panel.lines.count : room - 1
    var y = frame.top + 7
    for line in panel.lines.prefix(shown) {
      canvas.path(
        [(left, y), (left + 22, y)], line.color, width: max(1.6, line.width), dashes: line.dashes)
      let text = Self.shortened(line.name, to: Self.legendWidth - 46, canvas)
      canvas.text(text, at: (left + 29, y), size: 10)
      y += Panel.legendStep
    }
    if !isComplete {
      canvas.text("and \(panel.lines.count - shown) more", at: (left + 29, y), size: 10)
    }
  }

  /// A name with its middle left out if it is too long: logs of one experiment differ at the end.
  private static func shortened(_ name: String, to width: Double, _ canvas: Canvas) -> String {
    var kept = name.count
    var text = name
    while canvas.width(of: text, size: 10) > width, kept > 4 {
      kept -= 1
      text = name.prefix(kept / 2) + "…" + name.suffix(kept - kept / 2)
    }
    return text
  }
}

/// Where the curves of a panel lie.
private struct Frame {
  var left: Double
  var top: Double
  var width: Double
  var height: Double

  var right: Double { left + width }
  var bottom: Double { top + height }

  func x(_ share: Double) -> Double { left + share * width }
  func y(_ share: Double) -> Double { bottom - share * height }
}
