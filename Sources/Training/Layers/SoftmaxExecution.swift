import Foundation
import IR

/// Normalised exponentials along one axis.
final class SoftmaxExecution: LayerExecution {
  private let context: LayerContext
  private let extents: AxisExtents

  init(_ layer: Softmax, _ context: LayerContext) {
    self.context = context
    extents = AxisExtents(context.input.shape, axis: layer.axis)
    context.output.isNeededByProducer = context.wantsBackward
    if context.mayWorkInPlace, context.input.blob.format == .plain {
      context.output.share(context.input.blob)
    }
  }

  func forward() { extents.softmax(context.input.values, into: context.output.values) }

  /// dx = y * (dy - sum of y * dy)
  func backward() {
    guard context.input.wantsGradient else { return }
    let (y, dy, dx) = (context.output.values, context.output.gradient, context.input.gradient)
    let (along, inner) = (extents.along, extents.inner)
    extents.visit { start, _, _ in
      var sum: Float = 0
      for k in 0..<along { sum += y[start + k * inner] * dy[start + k * inner] }
      for k in 0..<along {
        dx[start + k * inner] = y[start + k * inner] * (dy[start + k * inner] - sum)
      }
    }
  }
}

extension AxisExtents {
  /// Writes the normalised exponentials along the axis; the arrays may be the same.
  func softmax(_ x: Floats, into y: Floats) {
    visit { start, _, _ in
      var largest = x[start]
      for k in 1..<max(along, 1) { largest = max(largest, x[start + k * inner]) }
      var sum: Float = 0
      for k in 0..<along {
        let value = exp(x[start + k * inner] - largest)
        y[start + k * inner] = value
        sum += value
      }
      for k in 0..<along { y[start + k * inner] /= sum }
    }
  }
}
