import Foundation
import IR

/// Softmax and multinomial logistic loss in one, with a matrix of how much each class tells about the label where it
/// is an infogain loss. A second output receives the probabilities.
///
/// loss = -sum over positions and classes k of H[label, k] * log(p[k]), divided by the normaliser; without a matrix H
/// is the identity.
final class SoftmaxLossExecution: LayerExecution {
  private let context: LayerContext
  private let labels: Labels
  private let normalization: Loss.Normalization
  private let information: (() -> Floats)?
  private let ownProbabilities: FloatStorage?
  private var divisor: Float = 1

  /// - Parameter information: the matrix [classes, classes], if there is one.
  init(
    axis: Int, _ normalization: Loss.Normalization, ignoredLabel: Int?,
    information: (() -> Floats)?, _ context: LayerContext
  ) {
    self.context = context
    self.normalization = normalization
    self.information = information
    labels = Labels(context, axis: axis, ignored: ignoredLabel)
    ownProbabilities = context.outputs.count > 1 ? nil : FloatStorage(context.input.count)
    if context.outputs.count > 1 { context.outputs[1].isNeededByProducer = true }
  }

  private var probabilities: Floats { ownProbabilities?.pointer ?? context.outputs[1].values }

  func forward() throws(Diagnostic) {
    let (extents, p) = (labels.extents, probabilities)
    extents.softmax(context.input.values, into: p)
    let matrix = information?()
    var sum = 0.0
    var valid = 0
    try labels.visit { label, start in
      valid += 1
      if let matrix {
        for k in 0..<labels.classes {
          let weight = matrix[label * labels.classes + k]
          sum -= Double(weight * log(max(p[start + k * extents.inner], 1e-20)))
        }
      } else {
        let likelihood = max(p[start + label * extents.inner], .leastNormalMagnitude)
        sum -= Double(log(likelihood))
      }
    }
    divisor = normalization.divisor(outer: extents.outer, inner: extents.inner, valid: valid)
    context.output.values[0] = Float(sum / Double(divisor))
  }

  /// p[k] * sum of H[label] - H[label, k], times the weight of the loss and divided by the normaliser.
  func backward() {
    guard context.input.wantsGradient else { return }
    let (p, result, inner) = (probabilities, context.input.gradient, labels.extents.inner)
    let matrix = information?()
    let factor = context.lossGradient / divisor
    let classes = labels.classes
    result.update(repeating: 0, count: context.input.count)
    labels.visitChecked { label, start in
      guard let matrix else {
        for k in 0..<classes { result[start + k * inner] = factor * p[start + k * inner] }
        result[start + label * inner] -= factor
        return
      }
      let row = matrix + label * classes
      var sum: Float = 0
      for k in 0..<classes { sum += row[k] }
      for k in 0..<classes {
        result[start + k * inner] = factor * (p[start + k * inner] * sum - row[k])
      }
    }
  }
}

/// Infogain loss: a softmax loss with a matrix, which is fixed or the third bottom.
final class InfogainLossExecution: LayerExecution {
  private let loss: SoftmaxLossExecution

  init(
    matrix: [Float]?, axis: Int, _ normalization: Loss.Normalization, ignoredLabel: Int?,
    _ context: LayerContext
  ) throws(Diagnostic) {
    let classes = AxisExtents(context.input.shape, axis: axis).along
    let count = matrix?.count ?? (context.inputs.count > 2 ? context.inputs[2].count : 0)
    guard count == classes * classes else {
      throw context.error(
        "the infogain matrix has \(count) elements; \(classes) classes need \(classes * classes)")
    }
    let fixed = matrix.map { values in
      let storage = FloatStorage(values.count)
      for (index, value) in values.enumerated() { storage.pointer[index] = value }
      return storage
    }
    loss = SoftmaxLossExecution(
      axis: axis, normalization, ignoredLabel: ignoredLabel,
      information: { fixed?.pointer ?? context.inputs[2].values }, context)
  }

  func forward() throws(Diagnostic) { try loss.forward() }
  func backward() { loss.backward() }
}
