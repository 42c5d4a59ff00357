import IR

/// The same numbers in another shape, without a copy where nobody else needs the memory.
final class ReshapeExecution: LayerExecution {
  private let context: LayerContext
  private let isShared: Bool

  init(_ context: LayerContext) {
    self.context = context
    let input = context.input.blob
    isShared = input.format == .plain && input.readers == 1 && input.lossWeight == 0
    if isShared {
      context.output.share(input)
      context.output.isNeededByProducer = input.isNeededByProducer
    }
  }

  func forward() {
    if !isShared {
      context.engine.copy(
        context.input.values, to: context.output.values, count: context.input.count)
    }
  }

  func backward() {
    if !isShared, context.input.wantsGradient {
      context.engine.copy(
        context.output.gradient, to: context.input.gradient, count: context.input.count)
    }
  }
}

/// Cuts a window of the second input's size out of the first.
final class CropExecution: LayerExecution {
  private let context: LayerContext
  /// Where each row of the output begins in the input.
  private let starts: [Int]
  private let row: Int

  init(_ layer: Crop, _ context: LayerContext) {
    self.context = context
    let (shape, output) = (context.input.shape, context.output.shape)
    guard let origin = try? layer.origin(for: context.layer.inputShapes) else {
      preconditionFailure("the shape rule has checked the offsets")
    }
    row = output.axes == 0 ? 1 : output[output.axes - 1]
    starts = (0..<output.count / row).map { index in
      var (rest, start, pitch) = (
        index, origin.last ?? 0, shape.axes == 0 ? 1 : shape[shape.axes - 1]
      )
      for axis in stride(from: shape.axes - 2, through: 0, by: -1) {
        start += (origin[axis] + rest % output[axis]) * pitch
        rest /= output[axis]
        pitch *= shape[axis]
      }
      return start
    }
  }

  func forward() {
    let (input, output) = (context.input.values, context.output.values)
    for (index, start) in starts.enumerated() {
      (output + index * row).update(from: input + start, count: row)
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (gradient, result) = (context.output.gradient, context.input.gradient)
    result.update(repeating: 0, count: context.input.count)
    for (index, start) in starts.enumerated() {
      (result + start).update(from: gradient + index * row, count: row)
    }
  }
}

/// Rearranges the patches that a convolution would read into channels.
final class Im2colExecution: LayerExecution {
  private let context: LayerContext
  private let layer: Im2col

  init(_ layer: Im2col, _ context: LayerContext) {
    self.context = context
    self.layer = layer
  }

  func forward() {
    let (input, output) = (context.input.values, context.output.values)
    visit { place, source in output[place] = source.map { input[$0] } ?? 0 }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (gradient, result) = (context.output.gradient, context.input.gradient)
    result.update(repeating: 0, count: context.input.count)
    visit { place, source in
      if let source { result[source] += gradient[place] }
    }
  }

  /// Calls `body` with every place of the output and the place of the input that belongs there; nil in the padding.
  private func visit(_ body: (Int, Int?) -> Void) {
    let (shape, output, window) = (context.input.shape, context.output.shape, layer.window)
    let channelAxis = layer.axis < 0 ? layer.axis + shape.axes : layer.axis
    for place in 0..<output.count {
      var rest = place
      var positions: [Int] = []
      for axis in stride(from: output.axes - 1, to: channelAxis, by: -1) {
        positions.insert(rest % output[axis], at: 0)
        rest /= output[axis]
      }
      var column = rest % output[channelAxis]
      let image = rest / output[channelAxis]
      var taps: [Int] = []
      for extent in window.kernel.reversed() {
        taps.insert(column % extent, at: 0)
        column /= extent
      }
      var source: Int? = image * shape[channelAxis] + column
      for axis in 0..<window.axes {
        let at =
          positions[axis] * window.stride[axis] - window.pad[axis]
          + taps[axis] * window.dilation[axis]
        let extent = shape[channelAxis + 1 + axis]
        source = (0..<extent).contains(at) ? source.map { $0 * extent + at } : nil
      }
      body(place, source)
    }
  }
}
