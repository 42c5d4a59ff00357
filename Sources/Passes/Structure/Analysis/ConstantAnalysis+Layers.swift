import Foundation
import IR

extension ConstantAnalysis {
  /// What is known of the output of a layer that makes channel c of its output from channel c of its inputs
  /// (or, for an LRN, from its neighbours).
  func perChannel(_ node: Node, _ shapes: [Shape], _ inputs: [KnownChannels?]) -> KnownChannels? {
    let shape = shapes[0]
    switch node.operation {
    case .elementwise(let layer):
      if case .power(let power, let scale, _) = layer.function, power == 0 || scale == 0 {
        let number = layer.function.value(at: Float(0))
        return KnownChannels(uniform: (0..<shape[1]).map { _ in number }, shape: shape)
      }
      return inputs[0]?.map { layer.function.value(at: $1) }
    case .preLU(let layer):
      let slopes = node.parameters[0].values
      return inputs[0]?.map { channel, number in
        ElementwiseFunction.relu(slope: slopes[layer.isShared ? 0 : channel]).value(at: number)
      }
    case .batchNorm(let layer):
      guard layer.usesStoredStatistics else { return nil }
      let statistics = layer.storedStatistics(node.parameters)
      return inputs[0]?.map { channel, number in
        let (mean, variance) = statistics[channel]
        return layer.value(at: number, mean: mean, variance: variance)
      }
    case .scale(let layer): return scaled(layer, node, shapes, inputs)
    case .bias(let layer): return biased(layer, node, shapes, inputs)
    case .borderBias(let layer): return biased(layer, node, shape, inputs[0])
    case .eltwise(let layer): return combined(layer, shape, inputs)
    case .pooling(let layer): return pooled(layer, shape, inputs[0])
    case .lrn(let layer): return normalized(layer, node, shape, inputs[0])
    case .concat: return sameEverywhere(inputs, graph[node.outputs[0]].shape)
    case .crop, .batchReindex, .flatten, .reshape, .slice, .tile:
      return sameEverywhere([inputs[0]], graph[node.outputs[0]].shape)
    case .identity, .split: return inputs[0]
    case .argMax, .constant, .convolution, .deconvolution, .embed, .im2col, .innerProduct, .mvn,
      .parameter, .reduction, .repack, .silence, .softmax, .spatialPyramidPooling:
      return nil
    }
  }

  /// Layers that move elements about within a channel: known is what is one number everywhere.
  private func sameEverywhere(_ inputs: [KnownChannels?], _ output: Shape) -> KnownChannels? {
    let numbers = (0..<output[1]).map { channel -> Float? in
      guard let number = inputs[0]?.uniform(channel) else { return nil }
      return inputs.allSatisfy { $0?.uniform(channel) == number } ? number : nil
    }
    return KnownChannels(uniform: numbers, shape: output)
  }

  private func scaled(
    _ layer: Scale, _ node: Node, _ shapes: [Shape], _ inputs: [KnownChannels?]
  ) -> KnownChannels? {
    guard inputs.count == 1, let extents = try? layer.extents(for: shapes),
      node.parameters[0].count == 1 || layer.coversChannels(of: shapes[0])
    else { return nil }
    let scale = node.parameters[0].values
    let bias = layer.hasBias ? node.parameters[1].values : nil
    func result(_ channel: Int, _ number: Float) -> Float {
      let place = extents.middle == 1 ? 0 : channel
      return Float(Double(number) * Double(scale[place]) + Double(bias?[place] ?? 0))
    }
    // A scale of zero hides what it scales.
    let hidden = (0..<shapes[0][1]).map { scale[extents.middle == 1 ? 0 : $0] == 0 }
    guard hidden.contains(true) else { return inputs[0]?.map(result) }
    let (positions, contents) = KnownChannels.align([inputs[0]], shape: shapes[0])
    let channels = hidden.indices.map { channel -> [Float]? in
      let content =
        hidden[channel] ? [Float](repeating: 0, count: positions.count) : contents[0]?[channel]
      return content?.map { result(channel, $0) }
    }
    return KnownChannels(positions: positions, channels: channels)
  }

  private func biased(
    _ layer: Bias, _ node: Node, _ shapes: [Shape], _ inputs: [KnownChannels?]
  ) -> KnownChannels? {
    guard inputs.count == 1, let extents = try? layer.extents(for: shapes),
      extents.middle == 1 || layer.coversChannels(of: shapes[0])
    else { return nil }
    let bias = node.parameters[0].values
    return inputs[0]?.map { channel, number in
      Float(Double(number) + Double(bias[extents.middle == 1 ? 0 : channel]))
    }
  }

  private func biased(
    _ layer: BorderBias, _ node: Node, _ shape: Shape, _ input: KnownChannels?
  ) -> KnownChannels? {
    guard let input else { return nil }
    let (positions, here, there) = input.positions.refined(
      with: PositionClasses(numbered: layer.classes))
    let perChannel = layer.counts.reduce(1, *)
    let bias = node.parameters[0].values
    let channels = input.channels.enumerated().map { channel, content in
      content.map { content in
        zip(here, there).map { here, there in
          let sum = Float(Double(content[here]) + Double(bias[channel * perChannel + there]))
          return layer.activation.map { $0.value(at: sum) } ?? sum
        }
      }
    }
    return KnownChannels(positions: positions, channels: channels)
  }

  private func combined(_ layer: Eltwise, _ shape: Shape, _ inputs: [KnownChannels?])
    -> KnownChannels?
  {
    guard inputs.contains(where: { $0 != nil }) else { return nil }
    let (positions, contents) = KnownChannels.align(inputs, shape: shape)
    let channels = (0..<shape[1]).map { channel -> [Float]? in
      let numbers = contents.map { $0?[channel] }
      if case .product = layer.combination,
        layer.activation == nil,
        numbers.contains(where: { $0?.allSatisfy { $0 == 0 } ?? false })
      {
        return [Float](repeating: 0, count: positions.count)
      }
      let known = numbers.compactMap(\.self)
      guard known.count == numbers.count else { return nil }
      return (0..<positions.count).map { place in
        let value = layer.value(of: known.map { $0[place] })
        return layer.activation.map { $0.value(at: value) } ?? value
      }
    }
    return KnownChannels(positions: positions, channels: channels)
  }

  private func pooled(_ layer: Pooling, _ shape: Shape, _ input: KnownChannels?) -> KnownChannels? {
    guard let input, !layer.writesPositions, let output = try? layer.outputShapes(for: [shape])[0]
    else { return nil }
    let window = layer.resolvedWindow(for: shape)
    let extents = Array(output.extents[2...])
    let sizes = zip(window.kernel, shape.extents[2...]).map { min($0, $1) }
    let view = WindowView(over: input.positions, extents: extents, sizes: sizes) { axis, position in
      let start = position * window.stride[axis] - window.pad[axis]
      let end = min(start + window.kernel[axis], shape[2 + axis] + window.pad[axis])
      let inside = max(start, 0)..<max(max(start, 0), min(end, shape[2 + axis]))
      return WindowView.Sight(taps: inside.map { $0 }, reach: end - start)
    }
    guard let view else { return nil }
    let (seen, areas) = (view.classesUnderTaps(), view.areas())
    return KnownChannels(
      positions: view.positions,
      channels: input.channels.map { content in
        content.map { content in
          zip(seen, areas).map { places, area in
            layer.value(of: places.compactMap { $0.map { content[$0] } }, area: area)
          }
        }
      })
  }

  private func normalized(_ layer: LRN, _ node: Node, _ shape: Shape, _ input: KnownChannels?)
    -> KnownChannels?
  {
    guard let input else { return nil }
    switch layer.region {
    case .withinChannel:
      return normalized(layer, withinChannels: input, Array(shape.extents[2...]))
    case .acrossChannels:
      let removed = layer.positions == nil ? nil : node.parameters[0].values
      let windows = layer.windows(channels: shape[1])
      let channels = input.channels.enumerated().map { channel, content -> [Float]? in
        guard let content else { return nil }
        let neighbours = input.channels[windows[channel]].compactMap(\.self)
        // Zero stays zero whatever lies beside it, as long as the divisor cannot be zero.
        if content.allSatisfy({ $0 == 0 }), layer.k > 0, layer.alpha >= 0 { return content }
        guard neighbours.count == windows[channel].count else { return nil }
        return content.indices.map { place in
          layer.value(
            content[place], squaresOf: neighbours.map { $0[place] },
            plus: removed?[channel] ?? 0)
        }
      }
      return KnownChannels(positions: input.positions, channels: channels)
    }
  }
}

extension ConstantAnalysis {
  private func normalized(_ layer: LRN, withinChannels input: KnownChannels, _ extents: [Int])
    -> KnownChannels?
  {
    let reach = (layer.size - 1) / 2
    let sizes = extents.map { min($0, 2 * reach + 1) }
    let view = WindowView(over: input.positions, extents: extents, sizes: sizes) { axis, position in
      let inside = max(position - reach, 0)..<min(position + reach + 1, extents[axis])
      return WindowView.Sight(taps: inside.map { $0 })
    }
    guard let view else { return nil }
    // Windows that see the same may stand over different elements.
    let (positions, window, element) = view.positions.refined(with: input.positions)
    let seen = view.classesUnderTaps()
    return KnownChannels(
      positions: positions,
      channels: input.channels.map { content in
        content.map { content in
          zip(window, element).map { window, element in
            let numbers = seen[window].compactMap { $0.map { content[$0] } }
            return layer.value(content[element], squaresOf: numbers)
          }
        }
      })
  }
}

extension Eltwise {
  /// One element, from those of all inputs, as the evaluator computes it.
  fileprivate func value(of numbers: [Float]) -> Float {
    switch combination {
    case .sum(let coefficients):
      return Float(zip(coefficients, numbers).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    case .product: return Float(numbers.reduce(1.0) { $0 * Double($1) })
    case .maximum: return numbers.max() ?? 0
    }
  }
}

extension Pooling {
  /// One element, from those of the image in its window; `area` is the window's extent in the padded image.
  fileprivate func value(of numbers: [Float], area: Int) -> Float {
    switch reduction {
    case .max:
      return max(startsAtZero ? 0 : -Float.greatestFiniteMagnitude, numbers.max() ?? -.infinity)
    case .average: return Float(numbers.reduce(0.0) { $0 + Double($1) } / Double(area))
    case .stochastic:
      let sum = numbers.reduce(0.0) { $0 + Double($1) }
      let squares = numbers.reduce(0.0) { $0 + Double($1) * Double($1) }
      return sum > 0 ? Float(squares / sum) : 0
    }
  }
}

extension LRN {
  /// One element, from those in its window.
  fileprivate func value(_ x: Float, squaresOf window: [Float], plus removed: Float = 0) -> Float {
    let sum = window.reduce(Double(removed)) { $0 + Double($1) * Double($1) }
    let base =
      switch region {
      case .acrossChannels: Double(k) + Double(alpha) / Double(size) * sum
      case .withinChannel: 1 + Double(alpha) / (Double(size) * Double(size)) * sum
      }
    return Float(Double(x) * pow(base, -Double(beta)))
  }
}

extension Scale {
  /// Whether the learned scale has one value per channel of axis 1.
  func coversChannels(of shape: Shape) -> Bool {
    guard let first = try? shape.canonicalAxis(axis), first == 1 else { return false }
    return spannedAxes == 1 || (spannedAxes == -1 && shape.axes == 2)
  }
}

extension Bias {
  /// As `Scale.coversChannels(of:)`.
  func coversChannels(of shape: Shape) -> Bool {
    Scale(axis: axis, spannedAxes: spannedAxes).coversChannels(of: shape)
  }
}
