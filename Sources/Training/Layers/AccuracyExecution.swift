import IR

/// The share of positions whose label is among the best scores; a second output receives the same per class.
final class AccuracyExecution: LayerExecution {
  private let context: LayerContext
  private let accuracy: Accuracy
  private let labels: Labels

  init(_ accuracy: Accuracy, _ context: LayerContext) throws(Diagnostic) {
    self.context = context
    self.accuracy = accuracy
    labels = Labels(context, axis: accuracy.axis, ignored: accuracy.ignoredLabel)
    guard accuracy.top <= labels.classes else {
      throw context.error("top_k \(accuracy.top) of \(labels.classes) classes")
    }
  }

  func forward() throws(Diagnostic) {
    var (right, count) = (0, 0)
    var rights = [Int](repeating: 0, count: labels.classes)
    var counts = rights
    try labels.visit { label, start in
      let isRight = betterScores(than: label, start) < accuracy.top
      count += 1
      counts[label] += 1
      if isRight {
        right += 1
        rights[label] += 1
      }
    }
    context.output.values[0] = Self.share(right, count)
    guard context.outputs.count > 1 else { return }
    for label in 0..<labels.classes {
      context.outputs[1].values[label] = Self.share(rights[label], counts[label])
    }
  }

  /// Nothing depends on its input smoothly.
  func backward() {}

  private static func share(_ part: Int, _ whole: Int) -> Float {
    whole == 0 ? 0 : Float(part) / Float(whole)
  }

  /// How many other classes count as better than the label's.
  private func betterScores(than label: Int, _ start: Int) -> Int {
    let (scores, inner) = (context.input.values, labels.extents.inner)
    let own = scores[start + label * inner]
    var better = 0
    for k in 0..<labels.classes where k != label {
      let score = scores[start + k * inner]
      let wins = accuracy.tiesGoToLarger && k < label ? score > own : score >= own
      if wins { better += 1 }
    }
    return better
  }
}
