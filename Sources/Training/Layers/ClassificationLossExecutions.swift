import Foundation
import IR

/// One-vs-all hinge loss: sum over classes of max(0, 1 + s) / items, where s is the score, negated for the label's
/// class; squared for the L2 form.
final class HingeLossExecution: LayerExecution {
  private let context: LayerContext
  private let isSquared: Bool
  private let items: Int
  private let classes: Int

  init(squared: Bool, _ context: LayerContext) {
    self.context = context
    isSquared = squared
    items = context.input.shape[0]
    classes = context.input.count / items
  }

  func forward() throws(Diagnostic) {
    var sum = 0.0
    for item in 0..<items {
      let label = try context.label(item, classes)
      for k in 0..<classes {
        let margin = Double(margin(item, k, label))
        sum += isSquared ? margin * margin : margin
      }
    }
    context.output.values[0] = Float(sum / Double(items))
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let factor = context.lossGradient / Float(items)
    for item in 0..<items {
      let label = Int(context.inputs[1].values[item])
      for k in 0..<classes {
        let margin = margin(item, k, label)
        let slope = isSquared ? 2 * margin : margin > 0 ? 1 : 0
        context.input.gradient[item * classes + k] = factor * (k == label ? -slope : slope)
      }
    }
  }

  private func margin(_ item: Int, _ k: Int, _ label: Int) -> Float {
    let score = context.input.values[item * classes + k]
    return max(0, 1 + (k == label ? -score : score))
  }
}

/// -log of the label's probability, averaged over items; the first bottom holds probabilities.
final class MultinomialLogisticExecution: LayerExecution {
  private let context: LayerContext
  private let items: Int
  private let classes: Int
  /// No probability counts as smaller.
  private let least: Float = 1e-20

  init(_ context: LayerContext) {
    self.context = context
    items = context.input.shape[0]
    classes = context.input.count / items
  }

  func forward() throws(Diagnostic) {
    var sum = 0.0
    for item in 0..<items {
      let label = try context.label(item, classes)
      sum -= Double(log(max(context.input.values[item * classes + label], least)))
    }
    context.output.values[0] = Float(sum / Double(items))
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let result = context.input.gradient
    result.update(repeating: 0, count: context.input.count)
    for item in 0..<items {
      let place = item * classes + Int(context.inputs[1].values[item])
      result[place] = -context.lossGradient / Float(items) / max(context.input.values[place], least)
    }
  }
}

extension LayerContext {
  /// The label of an item, in the second bottom.
  ///
  /// - Throws: if it is no class.
  fileprivate func label(_ item: Int, _ classes: Int) throws(Diagnostic) -> Int {
    let value = inputs[1].values[item]
    guard value > -1, value < Float(classes) else {
      throw error(
        "label \(value) of item \(item) is not one of the \(classes) classes 0 to \(classes - 1)")
    }
    return Int(value)
  }
}
