import IR

extension Eltwise {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let inputs = call.inputs.map(\.values)
    return call.output(
      (0..<call.outputShape.count).map { index in
        let combined = combined(inputs, at: index)
        return activation.map { $0.value(at: combined) } ?? combined
      })
  }

  private func combined(_ inputs: [[Float]], at index: Int) -> Float {
    switch combination {
    case .sum(let coefficients):
      var sum = 0.0
      for (coefficient, input) in zip(coefficients, inputs) {
        sum += Double(coefficient) * Double(input[index])
      }
      return Float(sum)
    case .product: return Float(inputs.reduce(1.0) { $0 * Double($1[index]) })
    case .maximum:
      // Of the first two Caffe takes the second unless the first is larger, then only what is
      // larger still: NaN in one place spreads, in another it disappears.
      let first = inputs[0][index] > inputs[1][index] ? inputs[0][index] : inputs[1][index]
      return inputs[2...].reduce(first) { $1[index] > $0 ? $1[index] : $0 }
    }
  }
}
