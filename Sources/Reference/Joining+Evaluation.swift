import IR

extension Concat {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let outer = call.outputShape.extents(around: axis).outer
    var output: [Float] = []
    output.reserveCapacity(call.outputShape.count)
    for o in 0..<outer {
      for input in call.inputs {
        let size = input.count / outer
        output += input.values[o * size..<(o + 1) * size]
      }
    }
    return call.output(output)
  }
}

extension Slice {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let (outer, along, inner) = call.input.shape.extents(around: axis)
    var begin = 0
    return call.outputShapes.map { shape in
      let size = shape.count / outer
      var part: [Float] = []
      part.reserveCapacity(shape.count)
      for o in 0..<outer {
        let start = o * along * inner + begin
        part += call.input.values[start..<start + size]
      }
      begin += size
      return Tensor(shape: shape, values: part)
    }
  }
}

extension Tile {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let (outer, along, inner) = call.input.shape.extents(around: axis)
    var output: [Float] = []
    output.reserveCapacity(call.outputShape.count)
    for o in 0..<outer {
      let run = call.input.values[o * along * inner..<(o + 1) * along * inner]
      for _ in 0..<tiles { output += run }
    }
    return call.output(output)
  }
}

extension Crop {
  /// output[i] = first input[i + offset], on every axis.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    guard let origin = try? origin(for: call.inputs.map(\.shape)) else {
      preconditionFailure("the shape rule has checked the offsets")
    }
    return call.output(
      (0..<call.outputShape.count).map { index in
        var rest = index
        var source = 0
        var pitch = 1
        for axis in stride(from: shape.axes - 1, through: 0, by: -1) {
          source += (origin[axis] + rest % call.outputShape[axis]) * pitch
          rest /= call.outputShape[axis]
          pitch *= shape[axis]
        }
        return call.input.values[source]
      })
  }
}
