import IR

/// max(x, 0) + slope * min(x, 0) with a learned slope per channel, or one for all.
final class PReLUExecution: LayerExecution {
  private let context: LayerContext
  private let isShared: Bool
  private let channels: Int
  /// Elements of one channel of one item.
  private let plane: Int

  init(_ layer: PReLU, _ context: LayerContext) {
    self.context = context
    isShared = layer.isShared
    channels = context.input.shape[1]
    plane = context.input.shape.count(from: 2)
  }

  func forward() {
    let (x, y, slopes) = (context.input.values, context.output.values, context.parameters[0].values)
    let (isShared, channels, plane) = (isShared, channels, plane)
    context.engine.parallel(context.input.count / plane, work: plane) { range in
      for row in range {
        let slope = slopes[isShared ? 0 : row % channels]
        for i in row * plane..<(row + 1) * plane { y[i] = x[i] > 0 ? x[i] : slope * x[i] }
      }
    }
  }

  func backward() {
    if context.parameters[0].wantsGradient { addSlopeGradient() }
    guard context.input.wantsGradient else { return }
    let (x, dy, dx) = (context.input.values, context.output.gradient, context.input.gradient)
    let slopes = context.parameters[0].values
    let (isShared, channels, plane) = (isShared, channels, plane)
    context.engine.parallel(context.input.count / plane, work: plane) { range in
      for row in range {
        let slope = slopes[isShared ? 0 : row % channels]
        for i in row * plane..<(row + 1) * plane { dx[i] = x[i] > 0 ? dy[i] : slope * dy[i] }
      }
    }
  }

  private func addSlopeGradient() {
    let (x, dy) = (context.input.values, context.output.gradient)
    let result = context.parameters[0].gradient
    for row in 0..<context.input.count / plane {
      var sum: Float = 0
      for i in row * plane..<(row + 1) * plane where x[i] <= 0 { sum += dy[i] * x[i] }
      result[isShared ? 0 : row % channels] += sum
    }
  }
}
