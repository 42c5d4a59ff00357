import IR

/// A fully connected layer: three matrix products.
final class InnerProductExecution: LayerExecution {
  private let context: LayerContext
  private let isTransposed: Bool
  private let rows: Int
  private let inner: Int
  private let columns: Int

  init(_ layer: InnerProduct, _ context: LayerContext) throws(Diagnostic) {
    try context.requirePlain(layer.activation)
    self.context = context
    isTransposed = layer.isTransposed
    columns = layer.outputs
    rows = context.output.count / columns
    inner = context.input.count / rows
  }

  func forward() {
    let (weights, output) = (context.parameters[0].values, context.output.values)
    if let bias {
      for row in 0..<rows { (output + row * columns).update(from: bias.values, count: columns) }
    }
    context.engine.product(
      rows: rows, columns: columns, inner: inner, .plain(context.input.values),
      isTransposed ? .plain(weights) : .transposed(weights), into: output, beta: bias == nil ? 0 : 1
    )
  }

  func backward() {
    let (weights, gradient) = (context.parameters[0], context.output.gradient)
    if weights.wantsGradient {
      if isTransposed {
        context.engine.product(
          rows: inner, columns: columns, inner: rows,
          .transposed(context.input.values), .plain(gradient), into: weights.gradient, beta: 1)
      } else {
        context.engine.product(
          rows: columns, columns: inner, inner: rows, .transposed(gradient),
          .plain(context.input.values), into: weights.gradient, beta: 1)
      }
    }
    if let bias, bias.wantsGradient {
      for row in 0..<rows {
        let line = gradient + row * columns
        for column in 0..<columns { bias.gradient[column] += line[column] }
      }
    }
    if context.input.wantsGradient {
      context.engine.product(
        rows: rows, columns: inner, inner: columns, .plain(gradient),
        isTransposed ? .transposed(weights.values) : .plain(weights.values),
        into: context.input.gradient)
    }
  }

  private var bias: LayerParameter? {
    context.parameters.count > 1 ? context.parameters[1] : nil
  }
}
