import IR

extension Convolution {
  /// output[f, p] = bias[f] + sum over channels c of f's group and taps t of
  /// weights[f, c, t] * input[c, p * stride + t * dilation - pad], 0 outside the image; plus the second input's
  /// element, if there is one.
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
    let addend = addsToInput ? call.inputs[1].values : nil

    return call.output(
      [Float](unsafeUninitializedCapacity: images * resultSize) { output, count in
        let results = output.baseAddress!
        call.input.values.withUnsafeBufferPointer { input in
          call.parameters[0].values.withUnsafeBufferPointer { weights in
            for image in 0..<images {
              call.inParallel(filters) { part in
                for filter in part {
                  let group = filter / (filters / groups)
                  let place = image * resultSize + filter * (resultSize / filters)
                  convolve(
                    input.baseAddress! + image * imageSize + group * groupPlanes, plane: plane,
                    with: weights.baseAddress! + filter * filterSize, filterSize: filterSize,
                    bias: bias[filter], rows, into: results + place,
                    addingTo: addend.map { $0[place..<place + resultSize / filters] })
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
    bias: Float, _ rows: SlidingRows, into output: UnsafeMutablePointer<Float>,
    addingTo addend: ArraySlice<Float>?
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
        let place = row * rows.positionColumns
        store(
          sums, at: output + place,
          addingTo: addend?.dropFirst(place).prefix(rows.positionColumns))
      }
    }
  }

  /// Rounds, adds, rounds and activates, as the layers would that fusions made one.
  private func store(
    _ sums: UnsafeMutableBufferPointer<Double>, at output: UnsafeMutablePointer<Float>,
    addingTo addend: ArraySlice<Float>?
  ) {
    for column in 0..<sums.count {
      var rounded = Float(sums[column])
      if let addend { rounded += addend[addend.startIndex + column] }
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
