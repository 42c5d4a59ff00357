import IR

extension BorderBias {
  /// x + bias of its channel and of the classes of its coordinates.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let places = placesInTable()
    let perChannel = counts.reduce(1, *)
    let bias = call.parameters[0].values
    return call.output(
      call.input.values.enumerated().map { index, x in
        let channel = index / places.count % shape[1]
        let sum = Float(
          Double(x) + Double(bias[channel * perChannel + places[index % places.count]]))
        return activation.map { $0.value(at: sum) } ?? sum
      })
  }

  /// For every position of an image its place among one channel's biases.
  private func placesInTable() -> [Int] {
    zip(classes, counts).reduce([0]) { outer, axis in
      outer.flatMap { place in axis.0.map { place * axis.1 + $0 } }
    }
  }
}

extension Constant {
  /// The stored values once for every item.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let item = call.parameters[0].values
    return call.output(
      [Float]((0..<call.outputShape[0]).map { _ in item }.joined()))
  }
}
