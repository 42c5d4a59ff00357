import IR

extension Elementwise {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    call.output(call.input.values.map { function.value(at: $0) })
  }
}

extension PReLU {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let inner = shape.count(from: 2)
    let slopes = call.parameters[0].values
    return call.output(
      call.input.values.enumerated().map { index, x in
        let slope = isShared ? slopes[0] : slopes[index / inner % shape[1]]
        return ElementwiseFunction.relu(slope: slope).value(at: x)
      })
  }
}
