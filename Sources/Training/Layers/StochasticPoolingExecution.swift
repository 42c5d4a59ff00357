import IR

/// Stochastic pooling (Zeiler and Fergus 2013): in training each window gives one of its values, drawn with a
/// probability proportional to it; in tests sum x^2 / sum x. Values are meant to be positive.
final class StochasticPoolingExecution: LayerExecution {
  private let context: LayerContext
  private let windows: WindowSpans
  private var random: RandomSource
  private var positions: [Int32]
  private let testing: PlainPoolingExecution?

  init(_ layer: Pooling, _ context: LayerContext) {
    var layer = layer
    layer.reduction = .stochastic
    self.context = context
    random = context.random
    windows = WindowSpans(layer, input: context.input.shape, output: context.output.shape)
    positions = Array(repeating: -1, count: context.isTraining ? context.output.count : 0)
    testing = context.isTraining ? nil : PlainPoolingExecution(layer, context)
  }

  func forward() {
    if let testing { return testing.forward() }
    let (input, output) = (context.input.values, context.output.values)
    windows.visit { place, plane, rows, columns in
      var sum: Float = 0
      for y in rows.inside {
        for x in columns.inside { sum += input[plane + y * windows.width + x] }
      }
      let threshold = random.unit() * sum
      var reached: Float = 0
      var chosen = -1
      for y in rows.inside {
        for x in columns.inside where chosen < 0 {
          reached += input[plane + y * windows.width + x]
          if reached >= threshold { chosen = y * windows.width + x }
        }
      }
      positions[place] = Int32(chosen)
      output[place] = chosen < 0 ? 0 : input[plane + chosen]
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    if let testing { return testing.backward() }
    let (gradient, result) = (context.output.gradient, context.input.gradient)
    result.update(repeating: 0, count: context.input.count)
    windows.visit { place, plane, _, _ in
      if positions[place] >= 0 { result[plane + Int(positions[place])] += gradient[place] }
    }
  }

  var state: [UInt8] { context.isTraining ? random.bytes : [] }

  func restore(_ state: [UInt8]) throws(Diagnostic) {
    guard let saved = RandomSource(bytes: state) else {
      throw context.error("the snapshot holds no random state for this layer")
    }
    random = saved
  }
}
