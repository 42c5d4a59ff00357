import IR

/// Looks rows of a matrix up by index.
final class EmbedExecution: LayerExecution {
  private let context: LayerContext
  private let layer: Embed

  init(_ layer: Embed, _ context: LayerContext) {
    self.context = context
    self.layer = layer
  }

  func forward() throws(Diagnostic) {
    let (output, weights) = (context.output.values, context.parameters[0].values)
    let bias = context.parameters.count > 1 ? context.parameters[1].values : nil
    for position in 0..<context.input.count {
      let row = try context.index(
        context.input.values[position], at: position, of: layer.rows, "rows")
      for column in 0..<layer.outputs {
        output[position * layer.outputs + column] =
          weights[row * layer.outputs + column] + (bias?[column] ?? 0)
      }
    }
  }

  func backward() {
    let gradient = context.output.gradient
    let (weights, columns) = (context.parameters[0], layer.outputs)
    for position in 0..<context.input.count {
      let line = gradient + position * columns
      if weights.wantsGradient {
        let row = weights.gradient + Int(context.input.values[position]) * columns
        for column in 0..<columns { row[column] += line[column] }
      }
      if context.parameters.count > 1, context.parameters[1].wantsGradient {
        for column in 0..<columns { context.parameters[1].gradient[column] += line[column] }
      }
    }
  }
}

/// Gathers rows of the first input by the indices in the second.
final class BatchReindexExecution: LayerExecution {
  private let context: LayerContext
  private let rows: Int
  private let size: Int

  init(_ layer: BatchReindex, _ context: LayerContext) {
    self.context = context
    rows = context.input.shape[0]
    size = context.input.count / rows
  }

  func forward() throws(Diagnostic) {
    let indices = context.inputs[1]
    for position in 0..<indices.count {
      let row = try context.index(indices.values[position], at: position, of: rows, "items")
      (context.output.values + position * size)
        .update(from: context.input.values + row * size, count: size)
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (gradient, result, indices) = (
      context.output.gradient, context.input.gradient, context.inputs[1]
    )
    result.update(repeating: 0, count: context.input.count)
    for position in 0..<indices.count {
      let row = result + Int(indices.values[position]) * size
      for i in 0..<size { row[i] += gradient[position * size + i] }
    }
  }
}

/// A learned array as a blob of its own.
final class ParameterExecution: LayerExecution {
  private let context: LayerContext

  init(_ context: LayerContext) { self.context = context }

  func forward() {
    context.engine.copy(
      context.parameters[0].values, to: context.output.values, count: context.output.count)
  }

  func backward() { context.addGradient(context.output.gradient, to: context.parameters[0]) }
}

extension LayerContext {
  /// The integer part of an index that was given as a float, in `0..<count`.
  func index(_ value: Float, at position: Int, of count: Int, _ what: String) throws(Diagnostic)
    -> Int
  {
    // Caffe truncates: everything between -1 and 1 is 0. NaN fails both comparisons.
    guard value > -1, value < Float(count) else {
      throw error("index \(value) at position \(position) is not one of \(count) \(what)")
    }
    return Int(value)
  }
}
