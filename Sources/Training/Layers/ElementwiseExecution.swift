import COneDNN
import Foundation
import IR

extension ElementwiseFunction {
  /// The class that runs the function: by its output if its derivative can be told from that alone, which lets it work
  /// in place, else by its input.
  func execution(_ context: LayerContext) throws(Diagnostic) -> any LayerExecution {
    switch self {
    case .relu(let slope) where slope >= 0: FromOutputExecution(self, nil, context)
    case .elu(let alpha) where alpha >= 0:
      FromOutputExecution(self, try primitive(dnn_elu, alpha, context), context)
    case .sigmoid: FromOutputExecution(self, try primitive(dnn_logistic, 0, context), context)
    case .tanh: FromOutputExecution(self, try primitive(dnn_tanh, 0, context), context)
    case .exponential(nil, scale: 1, shift: 0):
      FromOutputExecution(self, try primitive(dnn_exp, 0, context), context)
    case .exponential: FromOutputExecution(self, nil, context)
    case .softplus: FromInputExecution(self, try primitive(dnn_softplus, 1, context), context)
    case .relu, .elu, .absoluteValue, .power, .logarithm, .threshold, .clip, .swish:
      FromInputExecution(self, nil, context)
    }
  }

  private func primitive(_ function: dnn_function, _ alpha: Float, _ context: LayerContext)
    throws(Diagnostic) -> Primitive
  {
    let engine = context.engine
    return try context.require(
      Primitive(
        dnn_eltwise(engine.context, Int64(context.input.count), function, alpha), engine), typeName)
  }
}

/// A function whose derivative is told from its output; in place where it may be.
final class FromOutputExecution: LayerExecution {
  private let context: LayerContext
  private let function: ElementwiseFunction
  private let primitive: Primitive?

  init(_ function: ElementwiseFunction, _ primitive: Primitive?, _ context: LayerContext) {
    self.context = context
    self.function = function
    self.primitive = primitive
    context.workInPlace()
    context.output.isNeededByProducer = context.wantsBackward
  }

  func forward() {
    let (x, y) = (context.input.values, context.output.values)
    if let primitive { return primitive.run(x, y) }
    if case .relu(let slope) = function {
      context.engine.map(context.input.count, x, into: y) { $0 > 0 ? $0 : slope * $0 }
    } else {
      let function = function
      context.engine.map(context.input.count, x, work: 16, into: y) { function.value(at: $0) }
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (y, dy, dx) = (context.output.values, context.output.gradient, context.input.gradient)
    let (engine, count) = (context.engine, context.input.count)
    switch function {
    case .relu(let slope):
      engine.map(count, dy, y, into: dx) { $1 > 0 ? $0 : slope * $0 }
    case .elu(let alpha): engine.map(count, dy, y, into: dx) { $1 > 0 ? $0 : $0 * ($1 + alpha) }
    case .sigmoid: engine.map(count, dy, y, into: dx) { $0 * $1 * (1 - $1) }
    case .tanh: engine.map(count, dy, y, into: dx) { $0 * (1 - $1 * $1) }
    case .exponential(let base, let scale, _):
      let factor = scale * (base.map { log($0) } ?? 1)
      engine.map(count, dy, y, into: dx) { $0 * $1 * factor }
    case .softplus, .absoluteValue, .power, .logarithm, .threshold, .clip, .swish:
      preconditionFailure("derivatives of these need the input")
    }
  }
}

/// A function whose derivative is told from its input, which must not be written over.
final class FromInputExecution: LayerExecution {
  private let context: LayerContext
  private let function: ElementwiseFunction
  private let primitive: Primitive?

  init(_ function: ElementwiseFunction, _ primitive: Primitive?, _ context: LayerContext) {
    self.context = context
    self.function = function
    self.primitive = primitive
    context.keepFormat()
  }

  func forward() {
    let (x, y) = (context.input.values, context.output.values)
    if let primitive { return primitive.run(x, y) }
    let function = function
    context.engine.map(context.input.count, x, work: 16, into: y) { function.value(at: $0) }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let function = function
    context.engine.map(
      context.input.count, context.output.gradient, context.input.values, work: 16,
      into: context.input.gradient
    ) { $0 * function.derivative(at: $1) }
  }
}

extension ElementwiseFunction {
  /// The derivative at `x`; where there is none, what Caffe takes.
  func derivative(at x: Float) -> Float {
    switch self {
    case .relu(let slope): x > 0 ? 1 : slope
    case .elu(let alpha): x > 0 ? 1 : alpha * exp(x)
    case .sigmoid:
      logistic(x) * (1 - logistic(x))
    case .tanh: 1 - Foundation.tanh(x) * Foundation.tanh(x)
    case .absoluteValue: x > 0 ? 1 : x < 0 ? -1 : 0
    case .softplus: logistic(x)
    case .power(let power, let scale, let shift):
      if power == 0 || scale == 0 {
        0
      } else if power == 1 {
        scale
      } else {
        power * scale * pow(shift + scale * x, power - 1)
      }
    case .exponential(let base, let scale, _): value(at: x) * scale * (base.map { log($0) } ?? 1)
    case .logarithm(let base, let scale, let shift):
      scale / (scale * x + shift) / (base.map { log($0) } ?? 1)
    case .threshold: 0
    case .clip(let low, let high): x >= low && x <= high ? 1 : 0
    case .swish(let beta):
      logistic(beta * x) + beta * x * logistic(beta * x) * (1 - logistic(beta * x))
    }
  }
}

func logistic(_ x: Float) -> Float { 0.5 * tanh(0.5 * x) + 0.5 }

extension Engine {
  /// y[i] = f(x[i])
  @inline(__always)
  func map(_ count: Int, _ x: Floats, work: Int = 1, into y: Floats, _ f: (Float) -> Float) {
    parallel(count, work: work) { range in
      for i in range { y[i] = f(x[i]) }
    }
  }

  /// y[i] = f(a[i], b[i])
  @inline(__always)
  func map(
    _ count: Int, _ a: Floats, _ b: Floats, work: Int = 1, into y: Floats,
    _ f: (Float, Float) -> Float
  ) {
    parallel(count, work: work) { range in
      for i in range { y[i] = f(a[i], b[i]) }
    }
  }
}
