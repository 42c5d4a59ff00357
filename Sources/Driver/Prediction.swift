import IR

/// One class and its score.
public struct RankedClass: Codable, Hashable, Sendable {
  public var index: Int
  /// The class's name; absent if it has none.
  public var label: String?
  public var score: Float
}

/// The best classes for an image or another row of input.
public struct Prediction: Codable, Hashable, Sendable {
  /// The image's file, or the array's file and row.
  public var image: String
  /// From the highest score down; equal scores by index, NaN behind all others.
  public var top: [RankedClass]

  /// The `count` best of a row of scores, or all if there are fewer.
  public init(image: String, scores: some Collection<Float>, count: Int, labels: [String]?) {
    self.image = image
    var best: [(index: Int, score: Float)] = []
    for (index, score) in scores.enumerated() {
      if best.count == count, let last = best.last, !Self.precedes(score, last.score) { continue }
      let place = best.firstIndex { Self.precedes(score, $0.score) } ?? best.endIndex
      best.insert((index, score), at: place)
      if best.count > count { best.removeLast() }
    }
    top = best.map { index, score in
      let label = labels.flatMap { $0.indices.contains(index) ? $0[index] : nil }
      return RankedClass(index: index, label: label, score: score)
    }
  }

  private static func precedes(_ a: Float, _ b: Float) -> Bool { a > b || (b.isNaN && !a.isNaN) }

  /// The prediction as one line of JSON.
  public func jsonLine() throws(Diagnostic) -> String { try JSONText.line(self) + "\n" }

  /// The image's name and a line for each class.
  public var text: String {
    var text = image.onOneLine + "\n"
    for ranked in top {
      let number = "\(ranked.index)"
      let padding = String(repeating: " ", count: max(0, 5 - number.count))
      let label = ranked.label.map { "  " + $0.onOneLine } ?? ""
      text += "  \(Quantity.decimal(Double(ranked.score), 4))  \(padding)\(number)\(label)\n"
    }
    return text
  }
}
