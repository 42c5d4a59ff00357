import IR

extension Pooling {
  /// One number per window, by Caffe's rules for windows that reach over the edge.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let output = call.outputShape
    let window = resolvedWindow(for: shape)
    var values: [Float] = []
    var positions: [Float] = []
    values.reserveCapacity(output.count)
    call.input.values.withUnsafeBufferPointer { input in
      for plane in 0..<shape[0] * shape[1] {
        let image = Plane(
          values: UnsafeBufferPointer(rebasing: input[plane * shape[2] * shape[3]..<input.count]),
          width: shape[3])
        for y in 0..<output[2] {
          let rows = Span(window, axis: 0, position: y, extent: shape[2])
          for x in 0..<output[3] {
            let columns = Span(window, axis: 1, position: x, extent: shape[3])
            let result = reduce(image, rows, columns)
            values.append(result.value)
            if writesPositions { positions.append(Float(result.position)) }
          }
        }
      }
    }
    let result = Tensor(shape: output, values: values)
    return writesPositions ? [result, Tensor(shape: output, values: positions)] : [result]
  }

  private func reduce(_ image: Plane, _ rows: Span, _ columns: Span)
    -> (value: Float, position: Int)
  {
    switch reduction {
    case .max: maximum(image, rows, columns)
    case .average: (average(image, rows, columns), -1)
    case .stochastic: (expectation(image, rows, columns), -1)
    }
  }

  /// The first of the largest numbers; the lowest number, at no position, of an empty window.
  private func maximum(_ image: Plane, _ rows: Span, _ columns: Span)
    -> (value: Float, position: Int)
  {
    var best = startsAtZero ? 0 : -Float.greatestFiniteMagnitude
    var position = -1
    for row in rows.inside {
      for column in columns.inside where image[row, column] > best {
        best = image[row, column]
        position = row * image.width + column
      }
    }
    return (best, position)
  }

  /// Padding counts as zeros. Of an empty window either extent may be 0 or negative; Caffe divides
  /// by their product all the same.
  private func average(_ image: Plane, _ rows: Span, _ columns: Span) -> Float {
    var sum = 0.0
    for row in rows.inside {
      for column in columns.inside { sum += Double(image[row, column]) }
    }
    return Float(sum / Double(rows.paddedCount * columns.paddedCount))
  }

  private func expectation(_ image: Plane, _ rows: Span, _ columns: Span) -> Float {
    var sum = 0.0
    var squares = 0.0
    for row in rows.inside {
      for column in columns.inside {
        let value = Double(image[row, column])
        sum += value
        squares += value * value
      }
    }
    return sum > 0 ? Float(squares / sum) : 0
  }
}

/// One channel of one image.
private struct Plane {
  var values: UnsafeBufferPointer<Float>
  var width: Int

  subscript(row: Int, column: Int) -> Float { values[row * width + column] }
}

/// What a window covers along one axis.
private struct Span {
  /// The elements of the image.
  var inside: Range<Int>
  /// The extent within the image and its padding on both sides.
  var paddedCount: Int

  init(_ window: Window, axis: Int, position: Int, extent: Int) {
    let start = position * window.stride[axis] - window.pad[axis]
    let end = min(start + window.kernel[axis], extent + window.pad[axis])
    paddedCount = end - start
    let first = max(start, 0)
    inside = first..<max(first, min(end, extent))
  }
}

extension SpatialPyramidPooling {
  /// The levels, each flattened, one behind the other.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let levels = (0..<height).map { level in
      let pooling = pooling(level: level, for: shape)
      guard let output = try? pooling.outputShapes(for: [shape])[0] else {
        preconditionFailure("the shape rule has checked every level")
      }
      var levelCall = call
      levelCall.outputShapes = [output]
      return pooling.evaluate(levelCall)[0]
    }
    if height == 1 { return levels }
    var values: [Float] = []
    values.reserveCapacity(call.outputShape.count)
    for image in 0..<shape[0] {
      for level in levels {
        let size = level.count / shape[0]
        values += level.values[image * size..<(image + 1) * size]
      }
    }
    return call.output(values)
  }
}
