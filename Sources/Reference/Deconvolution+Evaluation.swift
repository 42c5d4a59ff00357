import IR

extension Deconvolution {
  /// output[f, p * stride + t * dilation - pad] += weights[c, f in its group, t] * input[c, p];
  /// what falls outside the output is lost. The bias is added to all of it.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let input = call.input
    let axis = input.shape.resolved(axis)
    // The window slides over the output; its positions are the input's elements.
    let rows = SlidingRows(
      window, image: Array(call.outputShape.extents[(axis + 1)...]),
      positions: Array(input.shape.extents[(axis + 1)...]))
    let channels = input.shape[axis]
    let inputPlane = input.shape.count(from: axis + 1)
    let outputPlane = call.outputShape.count(from: axis + 1)
    let filtersPerGroup = filters / groups
    let weights = call.parameters[0].values
    var output: [Float] = []
    output.reserveCapacity(call.outputShape.count)
    for image in 0..<input.shape.count(upTo: axis) {
      for filter in 0..<filters {
        let bias = hasBias ? Double(call.parameters[1].values[filter]) : 0
        var sums = [Double](repeating: bias, count: outputPlane)
        let group = filter / filtersPerGroup
        for channel in group * (channels / groups)..<(group + 1) * (channels / groups) {
          scatter(
            input.values[((image * channels + channel) * inputPlane)...],
            weights[((channel * filtersPerGroup + filter % filtersPerGroup) * window.taps)...],
            rows, into: &sums)
        }
        output += sums.map { Float($0) }
      }
    }
    return call.output(output)
  }

  /// Adds one input plane, spread by one kernel, to one output plane.
  private func scatter(
    _ plane: ArraySlice<Float>, _ kernel: ArraySlice<Float>, _ rows: SlidingRows,
    into sums: inout [Double]
  ) {
    for (row, meetings) in rows.meetings.enumerated() {
      for meeting in meetings {
        for tap in 0..<rows.tapColumns {
          let weight = Double(
            kernel[kernel.startIndex + meeting.tapRow * rows.tapColumns + tap])
          let target = meeting.imageRow * rows.imageColumns + rows.offset(of: tap)
          for x in rows.columns(of: tap) {
            let value = Double(plane[plane.startIndex + row * rows.positionColumns + x])
            sums[target + x * rows.step] += weight * value
          }
        }
      }
    }
  }
}
