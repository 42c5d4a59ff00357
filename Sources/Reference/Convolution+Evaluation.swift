import IR

extension Convolution {
  /// output[f, p] = bias[f] + sum over channels c of f's group and taps t of
  /// weights[f, c, t] * input[c, p * stride + t * dilation - pad], 0 outside the image.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let axis = shape.resolved(axis)
    let rows = SlidingRows(
      window, image: Array(shape.extents[(axis + 1)...]),
      positions: Array(call.outputShape.extents[(axis + 1)...]))
    let images = shape.count(upTo: axis)
    let imageSize = shape.count(from: axis)
    let resultSize = call.outputShape.count(from: axis)
    let bias = hasBias ? call.parameters[1].values : [Float](repeating: 0, count: filters)
    let plane = shape.count(from: axis + 1)
    let filterSize = call.parameters[0].count / filters
    let groupPlanes = shape[axis] / groups * plane

    return call.output(
      [Float](unsafeUninitializedCapacity: images * resultSize) { output, count in
        let results = output.baseAddress!
        call.input.values.withUnsafeBufferPointer { input in
          call.parameters[0].values.withUnsafeBufferPointer { weights in
            for image in 0..<images {
              call.inParallel(filters) { part in
                for filter in part {
                  let group = filter / (filters / groups)
                  convolve(
                    input.baseAddress! + image * imageSize + group * groupPlanes, plane: plane,
                    with: weights.baseAddress! + filter * filterSize, filterSize: filterSize,
                    bias: bias[filter], rows,
                    into: results + image * resultSize + filter * (resultSize / filters))
                }
              }
            }
          }
        }
        count = images * resultSize
      })
  }

  /// One filter over the planes of its group, into one output plane.
  private func convolve(
    _ input: UnsafePointer<Float>, plane: Int, with filter: UnsafePointer<Float>, filterSize: Int,
    bias: Float, _ rows: SlidingRows, into output: UnsafeMutablePointer<Float>
  ) {
    let taps = window.taps
    let columns = (0..<rows.tapColumns).map(rows.columns)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rows.positionColumns) { sums in
      for (row, meetings) in rows.meetings.enumerated() {
        sums.update(repeating: Double(bias))
        for channel in 0..<filterSize / taps {
          for meeting in meetings {
            let weights = filter + channel * taps + meeting.tapRow * rows.tapColumns
            let source = input + channel * plane + meeting.imageRow * rows.imageColumns
            for tap in 0..<rows.tapColumns where !columns[tap].isEmpty {
              let first = columns[tap].lowerBound
              add(
                source + (first * rows.step + rows.offset(of: tap)), step: rows.step,
                times: Double(weights[tap]), count: columns[tap].count,
                to: sums.baseAddress! + first)
            }
          }
        }
        store(sums, at: output + row * rows.positionColumns)
      }
    }
  }

  /// Rounds first and activates then, as the two layers would that a fusion made one.
  private func store(
    _ sums: UnsafeMutableBufferPointer<Double>, at output: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<sums.count {
      let rounded = Float(sums[column])
      output[column] = activation.map { $0.value(at: rounded) } ?? rounded
    }
  }
}

/// sums[x] += factor * source[x * step]
@inline(__always)
private func add(
  _ source: UnsafePointer<Float>, step: Int, times factor: Double, count: Int,
  to sums: UnsafeMutablePointer<Double>
) {
  if step == 1 {
    for x in 0..<count { sums[x] += factor * Double(source[x]) }
  } else {
    for x in 0..<count { sums[x] += factor * Double(source[x &* step]) }
  }
}
