import IR

/// Pooling in plain loops: Caffe's own divisors and empty windows, positions as a second output, and the test-time
/// form of stochastic pooling, sum x^2 / sum x.
final class PlainPoolingExecution: LayerExecution {
  private let context: LayerContext
  private let layer: Pooling
  private let windows: WindowSpans
  /// For maxima, which element of its plane each output is; -1 for an empty window.
  private var positions: [Int32]

  init(_ layer: Pooling, _ context: LayerContext) {
    self.context = context
    self.layer = layer
    windows = WindowSpans(layer, input: context.input.shape, output: context.output.shape)
    positions = layer.reduction == .max ? Array(repeating: -1, count: context.output.count) : []
  }

  func forward() {
    let (input, output) = (context.input.values, context.output.values)
    switch layer.reduction {
    case .max: maximum()
    case .average:
      windows.visit { place, plane, rows, columns in
        var sum: Float = 0
        for y in rows.inside {
          for x in columns.inside { sum += input[plane + y * windows.width + x] }
        }
        output[place] = sum / Float(rows.padded * columns.padded)
      }
    case .stochastic:
      windows.visit { place, plane, rows, columns in
        let (sum, squares) = sums(plane, rows, columns)
        output[place] = sum > 0 ? squares / sum : 0
      }
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (input, gradient) = (context.input.values, context.output.gradient)
    let result = context.input.gradient
    result.update(repeating: 0, count: context.input.count)
    switch layer.reduction {
    case .max:
      windows.visit { place, plane, _, _ in
        if positions[place] >= 0 { result[plane + Int(positions[place])] += gradient[place] }
      }
    case .average:
      windows.visit { place, plane, rows, columns in
        let share = gradient[place] / Float(rows.padded * columns.padded)
        for y in rows.inside {
          for x in columns.inside { result[plane + y * windows.width + x] += share }
        }
      }
    case .stochastic:
      windows.visit { place, plane, rows, columns in
        let (sum, squares) = sums(plane, rows, columns)
        guard sum > 0 else { return }
        for y in rows.inside {
          for x in columns.inside {
            let index = plane + y * windows.width + x
            result[index] += gradient[place] * (2 * input[index] - squares / sum) / sum
          }
        }
      }
    }
  }

  private func maximum() {
    let (input, output) = (context.input.values, context.output.values)
    windows.visit { place, plane, rows, columns in
      var best: Float = layer.startsAtZero ? 0 : -.greatestFiniteMagnitude
      var position = -1
      for y in rows.inside {
        for x in columns.inside where input[plane + y * windows.width + x] > best {
          best = input[plane + y * windows.width + x]
          position = y * windows.width + x
        }
      }
      output[place] = best
      positions[place] = Int32(position)
    }
    if context.outputs.count > 1 {
      let second = context.outputs[1].values
      for (place, position) in positions.enumerated() { second[place] = Float(position) }
    }
  }

  private func sums(_ plane: Int, _ rows: WindowSpan, _ columns: WindowSpan)
    -> (sum: Float, squares: Float)
  {
    let input = context.input.values
    var (sum, squares): (Float, Float) = (0, 0)
    for y in rows.inside {
      for x in columns.inside {
        let value = input[plane + y * windows.width + x]
        sum += value
        squares += value * value
      }
    }
    return (sum, squares)
  }
}

/// What a window covers along one axis.
struct WindowSpan {
  /// The elements of the image.
  var inside: Range<Int>
  /// The extent within the image and its padding on both sides.
  var padded: Int
}

/// All windows of a pooling layer.
struct WindowSpans {
  let width: Int
  private let planes: Int
  private let planeSize: Int
  private let rows: [WindowSpan]
  private let columns: [WindowSpan]

  init(_ layer: Pooling, input: Shape, output: Shape) {
    let window = layer.resolvedWindow(for: input)
    func spans(_ axis: Int) -> [WindowSpan] {
      (0..<output[2 + axis]).map { position in
        let start = position * window.stride[axis] - window.pad[axis]
        let end = min(start + window.kernel[axis], input[2 + axis] + window.pad[axis])
        let first = max(start, 0)
        return WindowSpan(
          inside: first..<max(first, min(end, input[2 + axis])), padded: end - start)
      }
    }
    (rows, columns) = (spans(0), spans(1))
    planes = input[0] * input[1]
    planeSize = input[2] * input[3]
    width = input[3]
  }

  /// Calls `body` with the place in the output, the start of the plane in the input, and the window.
  func visit(
    _ body: (_ place: Int, _ plane: Int, _ rows: WindowSpan, _ columns: WindowSpan) -> Void
  ) {
    var place = 0
    for plane in 0..<planes {
      for row in rows {
        for column in columns {
          body(place, plane * planeSize, row, column)
          place += 1
        }
      }
    }
  }
}
