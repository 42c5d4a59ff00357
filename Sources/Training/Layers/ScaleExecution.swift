import COneDNN
import IR

/// y = scale * x + shift, both broadcast over the axes before and after those that they cover.
///
/// It is batch normalisation by a given mean of 0 and variance of 1, whose primitive also sums the gradients.
final class BroadcastScale {
  private let pair: PrimitivePair
  private let zeros: FloatStorage
  private let ones: FloatStorage
  private let sums: (scale: FloatStorage, shift: FloatStorage)
  let count: Int

  /// Lets the layer's first output have the first input's format where that is possible.
  init(_ extents: BroadcastExtents, _ context: LayerContext) throws(Diagnostic) {
    let shape = context.input.shape
    count = extents.middle
    var norm = dnn_batch_norm()
    if shape.axes == 4, extents.outer == shape[0], extents.middle == shape[1] {
      context.keepFormat()
      norm.shape = dnn_shape(shape)
    } else {
      norm.shape = dnn_shape([extents.outer, extents.middle, extents.inner, 1])
    }
    norm.format = context.input.format.primitive
    norm.epsilon = 0
    norm.uses_given = true
    norm.scales = true
    pair = try context.require(
      PrimitivePair(
        dnn_batch_norm_make(context.engine.context, &norm, context.wantsBackward), context.engine),
      "scaling")
    zeros = FloatStorage(count)
    ones = FloatStorage(count)
    ones.pointer.update(repeating: 1, count: count)
    sums = (FloatStorage(count), FloatStorage(count))
  }

  /// A scale of nil is 1, a shift of nil is 0.
  func forward(_ source: Floats, scale: Floats?, shift: Floats?, into destination: Floats) {
    pair.forward.run(
      source, destination, zeros.pointer, ones.pointer, scale ?? ones.pointer,
      shift ?? zeros.pointer)
  }

  /// Overwrites the gradient of the source, and returns those of scale and shift.
  func backward(_ source: Floats, _ gradient: Floats, scale: Floats?, into result: Floats)
    -> (scale: Floats, shift: Floats)
  {
    pair.backward?.run(
      source, gradient, result, zeros.pointer, ones.pointer, scale ?? ones.pointer,
      zeros.pointer, sums.scale.pointer, sums.shift.pointer)
    return (sums.scale.pointer, sums.shift.pointer)
  }
}

extension LayerContext {
  /// The extents of a broadcast array, which the shape rule has accepted.
  func extents(_ find: ([Shape]) throws(ShapeError) -> BroadcastExtents) throws(Diagnostic)
    -> BroadcastExtents
  {
    do throws(ShapeError) {
      return try find(layer.inputShapes)
    } catch {
      throw self.error(error.description)
    }
  }

  /// Room for a gradient that nobody asked for.
  func gradientOrScratch(_ input: LayerInput) -> Floats {
    input.wantsGradient ? input.gradient : engine.scratch(slot: inputs.count)
  }

  /// Makes sure of `gradientOrScratch`.
  func reserveScratch() { engine.reserve(slot: inputs.count, count: input.count) }

  func addGradient(_ gradient: Floats, to parameter: LayerParameter) {
    guard parameter.wantsGradient else { return }
    engine.add(gradient, to: parameter.gradient, count: parameter.count)
  }
}

/// Multiplies by a learned array or by the second input, and may add a learned bias.
final class ScaleExecution: LayerExecution {
  private let context: LayerContext
  private let broadcast: BroadcastScale

  init(_ layer: Scale, _ context: LayerContext) throws(Diagnostic) {
    let extents = try context.extents(layer.extents)
    broadcast = try BroadcastScale(extents, context)
    context.reserveScratch()
    self.context = context
  }

  func forward() {
    broadcast.forward(
      context.input.values, scale: scale, shift: bias?.values, into: context.output.values)
  }

  func backward() {
    let result = context.gradientOrScratch(context.input)
    let sums = broadcast.backward(
      context.input.values, context.output.gradient, scale: scale, into: result)
    if context.inputs.count == 1 {
      context.addGradient(sums.scale, to: context.parameters[0])
    } else if context.inputs[1].wantsGradient {
      context.inputs[1].gradient.update(from: sums.scale, count: broadcast.count)
    }
    if let bias { context.addGradient(sums.shift, to: bias) }
  }

  private var scale: Floats {
    context.inputs.count == 1 ? context.parameters[0].values : context.inputs[1].values
  }

  private var bias: LayerParameter? {
    let own = context.inputs.count == 1 ? 1 : 0
    return context.parameters.count > own ? context.parameters[own] : nil
  }
}

/// Adds a learned array or the second input.
final class BiasExecution: LayerExecution {
  private let context: LayerContext
  private let broadcast: BroadcastScale

  init(_ layer: Bias, _ context: LayerContext) throws(Diagnostic) {
    let extents = try context.extents(layer.extents)
    broadcast = try BroadcastScale(extents, context)
    context.reserveScratch()
    self.context = context
  }

  func forward() {
    let bias = context.inputs.count == 1 ? context.parameters[0].values : context.inputs[1].values
    broadcast.forward(
      context.input.values, scale: nil, shift: bias, into: context.output.values)
  }

  func backward() {
    let result = context.gradientOrScratch(context.input)
    let sums = broadcast.backward(
      context.input.values, context.output.gradient, scale: nil, into: result)
    if context.inputs.count == 1 {
      context.addGradient(sums.shift, to: context.parameters[0])
    } else if context.inputs[1].wantsGradient {
      context.inputs[1].gradient.update(from: sums.shift, count: broadcast.count)
    }
  }
}
