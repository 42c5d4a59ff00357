import IR

extension Reduction {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let size = call.input.count / call.outputShape.count
    return call.output(
      (0..<call.outputShape.count).map { result in
        let values = call.input.values[result * size..<(result + 1) * size].map { Double($0) }
        return Float(Double(coefficient) * reduce(values))
      })
  }

  private func reduce(_ values: [Double]) -> Double {
    switch operation {
    case .sum: values.reduce(0, +)
    case .sumOfAbsolutes: values.reduce(0) { $0 + abs($1) }
    case .sumOfSquares: values.reduce(0) { $0 + $1 * $1 }
    case .mean: values.reduce(0, +) / Double(values.count)
    }
  }
}

extension ArgMax {
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    guard let axis else {
      let size = shape.count(from: 1)
      return call.output(
        (0..<shape[0]).flatMap { item in
          let values = Array(call.input.values[item * size..<(item + 1) * size])
          let best = largest(values)
          return best.map { Float($0) } + (writesValues ? best.map { values[$0] } : [])
        })
    }
    let (outer, along, inner) = shape.extents(around: axis)
    var output = [Float](repeating: 0, count: call.outputShape.count)
    for o in 0..<outer {
      for i in 0..<inner {
        let values = (0..<along).map { call.input.values[(o * along + $0) * inner + i] }
        for (rank, index) in largest(values).enumerated() {
          output[(o * top + rank) * inner + i] = writesValues ? values[index] : Float(index)
        }
      }
    }
    return call.output(output)
  }

  /// The indices of the `top` largest values; of equal ones the higher index comes first.
  private func largest(_ values: [Float]) -> [Int] {
    let sorted = values.indices.sorted { (values[$0], $0) > (values[$1], $1) }
    return Array(sorted.prefix(top))
  }
}
