import IR

extension Im2col {
  /// output[c * taps + t, p] = input[c, p * stride + t * dilation - pad], 0 outside the image.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let axis = shape.resolved(axis)
    let rows = SlidingRows(
      window, image: Array(shape.extents[(axis + 1)...]),
      positions: Array(call.outputShape.extents[(axis + 1)...]))
    let inputPlane = shape.count(from: axis + 1)
    let outputPlane = call.outputShape.count(from: axis + 1)
    var output = [Float](repeating: 0, count: call.outputShape.count)
    for plane in 0..<shape.count(upTo: axis + 1) {
      for (row, meetings) in rows.meetings.enumerated() {
        for meeting in meetings {
          for tap in 0..<rows.tapColumns {
            let outputTap = meeting.tapRow * rows.tapColumns + tap
            let target =
              (plane * window.taps + outputTap) * outputPlane + row * rows.positionColumns
            let source =
              plane * inputPlane + meeting.imageRow * rows.imageColumns + rows.offset(of: tap)
            for x in rows.columns(of: tap) {
              output[target + x] = call.input.values[source + x * rows.step]
            }
          }
        }
      }
    }
    return call.output(output)
  }
}
