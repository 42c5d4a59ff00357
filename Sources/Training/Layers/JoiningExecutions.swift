import IR

/// Joins inputs along one axis; along the channels in whatever format the first input has.
final class ConcatExecution: LayerExecution {
  private let context: LayerContext
  private let parts: AxisParts

  init(_ layer: Concat, _ context: LayerContext) {
    self.context = context
    parts = AxisParts(
      whole: context.output.shape, parts: context.inputs.map { $0.shape }, axis: layer.axis,
      format: context.input.blob.format)
    for input in context.inputs { input.format = parts.format }
    context.output.format = parts.format
  }

  func forward() {
    for (part, input) in context.inputs.enumerated() {
      parts.gather(context.output.values, part, from: input.values)
    }
  }

  func backward() {
    for (part, input) in context.inputs.enumerated() where input.wantsGradient {
      parts.extract(context.output.gradient, part, into: input.gradient)
    }
  }
}

/// Cuts its input along one axis.
final class SliceExecution: LayerExecution {
  private let context: LayerContext
  private let parts: AxisParts

  init(_ layer: Slice, _ context: LayerContext) {
    self.context = context
    parts = AxisParts(
      whole: context.input.shape, parts: context.outputs.map { $0.shape }, axis: layer.axis,
      format: context.input.blob.format)
    context.input.format = parts.format
    for output in context.outputs { output.format = parts.format }
  }

  func forward() {
    for (part, output) in context.outputs.enumerated() {
      parts.extract(context.input.values, part, into: output.values)
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    for (part, output) in context.outputs.enumerated() {
      parts.gather(context.input.gradient, part, from: output.gradient)
    }
  }
}

/// How an array is made of parts that lie behind one another along an axis.
private struct AxisParts {
  /// The format in which all of them lie.
  let format: BlobFormat
  /// Runs of numbers that belong together, per part.
  private let runs: [Int]
  private let starts: [Int]
  private let total: Int
  private let outer: Int

  init(whole: Shape, parts: [Shape], axis: Int, format: BlobFormat) {
    let axis = axis < 0 ? axis + whole.axes : axis
    let extents = parts.map { $0[axis] }
    self.format = Self.suits(format, axis, extents) ? format : .plain
    outer =
      self.format == .channelsLast ? whole[0] * whole[2] * whole[3] : whole.count(upTo: axis)
    let inner = whole.count / outer / whole[axis]
    runs = extents.map { $0 * inner }
    starts = runs.indices.map { runs in extents[..<runs].reduce(0, +) * inner }
    total = whole[axis] * inner
  }

  private static func suits(_ format: BlobFormat, _ axis: Int, _ extents: [Int]) -> Bool {
    switch format {
    case .plain: true
    case .channelsLast: axis == 1
    case .blocked8: axis == 1 && extents.allSatisfy { $0 % 8 == 0 }
    case .blocked16: axis == 1 && extents.allSatisfy { $0 % 16 == 0 }
    }
  }

  /// Copies a part into the whole.
  func gather(_ whole: Floats, _ part: Int, from source: Floats) {
    let run = runs[part]
    for o in 0..<outer {
      (whole + o * total + starts[part]).update(from: source + o * run, count: run)
    }
  }

  /// Copies a part out of the whole.
  func extract(_ whole: Floats, _ part: Int, into destination: Floats) {
    let run = runs[part]
    for o in 0..<outer {
      (destination + o * run).update(from: whole + o * total + starts[part], count: run)
    }
  }
}

/// Gives its input to several outputs, and adds up their gradients.
final class SplitExecution: LayerExecution {
  private let context: LayerContext

  init(_ context: LayerContext) {
    self.context = context
    context.input.keepFormat()
    for output in context.outputs { output.format = context.input.format }
  }

  func forward() {
    for output in context.outputs {
      context.engine.copy(context.input.values, to: output.values, count: output.count)
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (result, count) = (context.input.gradient, context.input.count)
    context.engine.copy(context.outputs[0].gradient, to: result, count: count)
    for output in context.outputs.dropFirst() {
      context.engine.add(output.gradient, to: result, count: count)
    }
  }
}

/// Repeats its input along one axis.
final class TileExecution: LayerExecution {
  private let context: LayerContext
  private let tiles: Int
  private let outer: Int
  private let run: Int

  init(_ layer: Tile, _ context: LayerContext) {
    self.context = context
    let shape = context.input.shape
    tiles = layer.tiles
    outer = shape.count(upTo: layer.axis < 0 ? layer.axis + shape.axes : layer.axis)
    run = shape.count / outer
  }

  func forward() {
    let (input, output) = (context.input.values, context.output.values)
    for o in 0..<outer {
      for tile in 0..<tiles {
        (output + (o * tiles + tile) * run).update(from: input + o * run, count: run)
      }
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (gradient, result) = (context.output.gradient, context.input.gradient)
    for o in 0..<outer {
      for i in 0..<run {
        var sum: Float = 0
        for tile in 0..<tiles { sum += gradient[(o * tiles + tile) * run + i] }
        result[o * run + i] = sum
      }
    }
  }
}

/// Swallows its inputs.
final class SilenceExecution: LayerExecution {
  func forward() {}
  func backward() {}
}
