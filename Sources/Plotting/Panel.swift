/// One quantity of all logs, and how its curves look.
struct Panel: Sendable {
  struct Line: Sendable {
    var name: String
    var curve: TrainingLog.Curve
    var color: Canvas.Color
    var width: Double
    var dashes: [Double]
  }

  static let legendStep = 14.0
  /// The most lines of a legend, the last of which may say how many more there are.
  private static let legendLimit = 40

  /// How high the diagram is, so that its legend fits beside it.
  var height: Double { max(210, Double(min(lines.count, Self.legendLimit)) * Self.legendStep) }

  let quantity: TrainingLog.Quantity
  let lines: [Line]
  let axis: Axis

  /// nil if there is nothing to draw.
  init?(_ quantity: TrainingLog.Quantity, logs: [TrainingLog]) {
    var lines: [Line] = []
    for (number, log) in logs.enumerated() {
      let curves = log.curves.filter { Self.isWorthDrawing($0, of: quantity) }
      for curve in curves {
        let look = Self.look(
          // Runs are compared by colour, but the arrays of a net are too many for that.
          logs.count > 1 && quantity != .sparsity
            ? (number, curves.prefix { $0 != curve }.count { $0.isOfTests == curve.isOfTests })
            : (lines.count % Self.palette.count, lines.count / Self.palette.count))
        lines.append(
          Line(
            name: logs.count > 1 ? "\(log.name): \(curve.name)" : curve.name, curve: curve,
            color: look.color, width: curve.isOfTests ? 1.8 : 1.1, dashes: look.dashes))
      }
    }
    let values = lines.flatMap { $0.curve.points.map(\.value) }
    guard let low = values.min(), let high = values.max() else { return nil }
    self.quantity = quantity
    self.lines = lines
    switch quantity {
    case .loss: axis = Axis.fitting(low...high, marks: 6)
    case .accuracy: axis = Axis(linear: low...high, marks: 6)
    // A share of nothing and of everything are worth seeing; 100 must not become 120.
    case .sparsity: axis = Axis(linear: 0...max(high, 1), marks: 5)
    }
  }

  private static func look(
    _ numbers: (color: Int, dashes: Int)
  ) -> (color: Canvas.Color, dashes: [Double]) {
    (palette[numbers.color % palette.count], dashes[numbers.dashes % dashes.count])
  }

  /// Arrays that stay dense would only fill the legend.
  private static func isWorthDrawing(
    _ curve: TrainingLog.Curve, of quantity: TrainingLog.Quantity
  ) -> Bool {
    curve.quantity == quantity && !curve.points.isEmpty
      && (quantity != .sparsity || curve.points.contains { $0.value > 0 })
  }

  /// Colours that can be told apart with any kind of eyes (Okabe and Ito 2008).
  private static let palette: [Canvas.Color] = [
    Canvas.Color(red: 0, green: 0.447, blue: 0.698),
    Canvas.Color(red: 0.835, green: 0.369, blue: 0),
    Canvas.Color(red: 0, green: 0.62, blue: 0.451),
    Canvas.Color(red: 0.8, green: 0.475, blue: 0.655),
    Canvas.Color(red: 0.902, green: 0.624, blue: 0),
    Canvas.Color(red: 0.337, green: 0.706, blue: 0.914),
    Canvas.Color(red: 0.35, green: 0.35, blue: 0.35),
  ]

  private static let dashes: [[Double]] = [[], [6, 3], [2, 2], [8, 3, 2, 3]]
}
