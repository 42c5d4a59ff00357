import IR

extension Scale {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    guard let extents = try? extents(for: call.inputs.map(\.shape)) else {
      preconditionFailure("the shape rule has checked the axes")
    }
    let arrays = call.inputs.dropFirst() + call.parameters
    let scale = arrays[arrays.startIndex].values
    let bias = hasBias ? arrays[arrays.startIndex + 1].values : nil
    return call.output(
      call.input.values.enumerated().map { index, value in
        let place = index / extents.inner % extents.middle
        let scaled = Double(value) * Double(scale[place])
        return Float(scaled + (bias.map { Double($0[place]) } ?? 0))
      })
  }
}

extension Bias {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    guard let extents = try? extents(for: call.inputs.map(\.shape)) else {
      preconditionFailure("the shape rule has checked the axes")
    }
    let bias = (call.inputs.count == 2 ? call.inputs[1] : call.parameters[0]).values
    return call.output(
      call.input.values.enumerated().map { index, value in
        Float(Double(value) + Double(bias[index / extents.inner % extents.middle]))
      })
  }
}
