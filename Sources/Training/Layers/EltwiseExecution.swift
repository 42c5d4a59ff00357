import COneDNN
import IR

extension Eltwise {
  func execution(_ context: LayerContext) throws(Diagnostic) -> any LayerExecution {
    try context.requirePlain(activation)
    context.keepFormat()
    for input in context.inputs { input.format = context.output.format }
    switch combination {
    case .sum(let coefficients): return try EltwiseSumExecution(coefficients, context)
    case .product: return EltwiseProductExecution(context)
    case .maximum: return EltwiseMaximumExecution(context)
    }
  }
}

/// Sum of coefficient times input, and the rectifier behind it if it has absorbed one.
final class EltwiseSumExecution: LayerExecution {
  private let context: LayerContext
  private let coefficients: [Float]
  private let sum: Primitive

  init(_ coefficients: [Float], _ context: LayerContext) throws(Diagnostic) {
    self.context = context
    self.coefficients = coefficients
    context.output.isNeededByProducer = context.absorbed.rectifies && context.wantsBackward
    sum = try context.require(
      Primitive(
        dnn_sum(
          context.engine.context, Int64(context.input.count), Int32(coefficients.count),
          coefficients), context.engine), "sum of \(coefficients.count) inputs")
  }

  func forward() {
    let (engine, y, count) = (context.engine, context.output.values, context.input.count)
    if context.absorbed.rectifies, coefficients == [1, 1] {
      let (a, b) = (context.inputs[0].values, context.inputs[1].values)
      return engine.map(count, a, b, into: y) { Self.rectified($0 + $1, by: $0 + $1) }
    }
    sum.run(context.inputs.map { $0.values } + [y])
    if context.absorbed.rectifies {
      engine.map(count, y, into: y) { Self.rectified($0, by: $0) }
    }
  }

  func backward() {
    let (gradient, count) = (context.output.gradient, context.input.count)
    let y = context.output.values
    if context.absorbed.rectifies, coefficients == [1, 1],
      context.inputs.allSatisfy({ $0.wantsGradient })
    {
      let (a, b) = (context.inputs[0].gradient, context.inputs[1].gradient)
      return context.engine.parallel(count) { range in
        for i in range {
          let value = Self.rectified(gradient[i], by: y[i])
          a[i] = value
          b[i] = value
        }
      }
    }
    for (input, coefficient) in zip(context.inputs, coefficients) where input.wantsGradient {
      if context.absorbed.rectifies {
        context.engine.map(count, gradient, y, into: input.gradient) {
          coefficient * Self.rectified($0, by: $1)
        }
      } else if coefficient == 1 {
        context.engine.copy(gradient, to: input.gradient, count: count)
      } else {
        context.engine.map(count, gradient, into: input.gradient) { coefficient * $0 }
      }
    }
  }

  /// As the rectifier alone has it: what is no number stays none.
  @inline(__always)
  private static func rectified(_ value: Float, by sign: Float) -> Float {
    sign > 0 ? value : 0 * value
  }
}

/// Product of all inputs.
final class EltwiseProductExecution: LayerExecution {
  private let context: LayerContext

  init(_ context: LayerContext) { self.context = context }

  func forward() {
    let (y, count) = (context.output.values, context.input.count)
    context.engine.map(count, context.input.values, context.inputs[1].values, into: y) { $0 * $1 }
    for input in context.inputs.dropFirst(2) {
      context.engine.map(count, y, input.values, into: y) { $0 * $1 }
    }
  }

  /// The gradient times the product of the others, never a quotient: inputs may be 0.
  func backward() {
    let count = context.input.count
    for (place, input) in context.inputs.enumerated() where input.wantsGradient {
      context.engine.copy(context.output.gradient, to: input.gradient, count: count)
      for (other, factor) in context.inputs.enumerated() where other != place {
        context.engine.map(count, input.gradient, factor.values, into: input.gradient) { $0 * $1 }
      }
    }
  }
}

/// The largest of the inputs; of equal ones of the first two the second counts as larger, as in Caffe.
final class EltwiseMaximumExecution: LayerExecution {
  private let context: LayerContext
  private var winners: [Int32]

  init(_ context: LayerContext) {
    self.context = context
    winners = Array(repeating: 0, count: context.input.count)
  }

  func forward() {
    let (a, b, y) = (
      context.input.values, context.inputs[1].values, context.output.values
    )
    for i in winners.indices {
      winners[i] = a[i] > b[i] ? 0 : 1
      y[i] = a[i] > b[i] ? a[i] : b[i]
    }
    for (place, input) in context.inputs.enumerated().dropFirst(2) {
      let x = input.values
      for i in winners.indices where x[i] > y[i] {
        winners[i] = Int32(place)
        y[i] = x[i]
      }
    }
  }

  func backward() {
    let gradient = context.output.gradient
    for (place, input) in context.inputs.enumerated() where input.wantsGradient {
      let result = input.gradient
      for i in winners.indices { result[i] = winners[i] == place ? gradient[i] : 0 }
    }
  }
}
