import Foundation
import IR

/// Sum of squared differences / (2 * items).
final class EuclideanLossExecution: LayerExecution {
  private let context: LayerContext
  private let items: Float

  init(_ context: LayerContext) {
    self.context = context
    items = Float(context.input.shape.axes == 0 ? 1 : context.input.shape[0])
  }

  func forward() {
    let (a, b) = (context.input.values, context.inputs[1].values)
    var sum = 0.0
    for i in 0..<context.input.count {
      let difference = Double(a[i]) - Double(b[i])
      sum += difference * difference
    }
    context.output.values[0] = Float(sum) / items / 2
  }

  func backward() {
    let (a, b) = (context.input.values, context.inputs[1].values)
    for (place, input) in context.inputs.enumerated() where input.wantsGradient {
      let factor = (place == 0 ? 1 : -1) * context.lossGradient / items
      context.engine.map(input.count, a, b, into: input.gradient) { factor * ($0 - $1) }
    }
  }
}

/// Cross entropy of a logistic function of the first bottom against targets in 0 ... 1.
final class SigmoidCrossEntropyExecution: LayerExecution {
  private let context: LayerContext
  private let normalization: Loss.Normalization
  private let ignored: Float?
  private var divisor: Float = 1

  init(_ normalization: Loss.Normalization, ignoredLabel: Int?, _ context: LayerContext) {
    self.context = context
    self.normalization = normalization
    ignored = ignoredLabel.map { Float($0) }
  }

  /// The usual form of t log p + (1 - t) log(1 - p), which no score makes overflow.
  func forward() {
    let (scores, targets) = (context.input.values, context.inputs[1].values)
    var sum = 0.0
    var valid = 0
    for i in 0..<context.input.count where targets[i] != ignored {
      let (x, t) = (Double(scores[i]), Double(targets[i]))
      sum -= x * (t - (x >= 0 ? 1 : 0)) - log(1 + exp(x - 2 * x * (x >= 0 ? 1 : 0)))
      valid += 1
    }
    let outer = context.input.shape.axes == 0 ? 1 : context.input.shape[0]
    divisor = normalization.divisor(
      outer: outer, inner: context.input.count / outer, valid: valid)
    context.output.values[0] = Float(sum / Double(divisor))
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let factor = context.lossGradient / divisor
    let ignored = ignored
    context.engine.map(
      context.input.count, context.input.values, context.inputs[1].values, work: 16,
      into: context.input.gradient
    ) { $1 == ignored ? 0 : factor * (logistic($0) - $1) }
  }
}

/// Contrastive loss (Hadsell, Chopra and LeCun 2006) of pairs (a, b) that are similar (1) or not (0):
/// mean of (similarity * d^2 + (1 - similarity) * max(margin - d, 0)^2) / 2, where d is the distance; in the legacy
/// form max(margin - d^2, 0).
final class ContrastiveLossExecution: LayerExecution {
  private let context: LayerContext
  private let margin: Float
  private let isLegacy: Bool
  private let items: Int
  private let size: Int
  /// The squared distance of every pair.
  private var distances: [Float]

  init(margin: Float, legacy: Bool, _ context: LayerContext) {
    self.context = context
    self.margin = margin
    isLegacy = legacy
    items = context.input.shape[0]
    size = context.input.count / items
    distances = Array(repeating: 0, count: items)
  }

  func forward() {
    let (a, b) = (context.input.values, context.inputs[1].values)
    var sum = 0.0
    for item in 0..<items {
      var squares: Float = 0
      for i in item * size..<(item + 1) * size { squares += (a[i] - b[i]) * (a[i] - b[i]) }
      distances[item] = squares
      if isSimilar(item) {
        sum += Double(squares)
      } else if isLegacy {
        sum += Double(max(margin - squares, 0))
      } else {
        let missing = max(margin - squares.squareRoot(), 0)
        sum += Double(missing * missing)
      }
    }
    context.output.values[0] = Float(sum / Double(items) / 2)
  }

  func backward() {
    let (a, b) = (context.input.values, context.inputs[1].values)
    for (place, input) in context.inputs.prefix(2).enumerated() where input.wantsGradient {
      let alpha = (place == 0 ? 1 : -1) * context.lossGradient / Float(items)
      for item in 0..<items {
        let factor = alpha * slope(item)
        for i in item * size..<(item + 1) * size { input.gradient[i] = factor * (a[i] - b[i]) }
      }
    }
  }

  private func isSimilar(_ item: Int) -> Bool { Int(context.inputs[2].values[item]) != 0 }

  /// The derivative by the difference, per unit of difference. Caffe's 1e-4 keeps equal vectors from dividing by 0.
  private func slope(_ item: Int) -> Float {
    if isSimilar(item) { return 1 }
    if isLegacy { return margin > distances[item] ? -1 : 0 }
    let distance = distances[item].squareRoot()
    return margin > distance ? -(margin - distance) / (distance + 1e-4) : 0
  }
}
