import IR

extension InnerProduct {
  /// output[m, n] = bias[n] + sum over k of weights[n, k] * input[m, k].
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let axis = call.input.shape.resolved(axis)
    let rows = call.input.shape.count(upTo: axis)
    let columns = call.input.shape.count(from: axis)
    let bias = hasBias ? call.parameters[1].values : [Float](repeating: 0, count: outputs)
    // Element (n, k) of the weights.
    let (outputStep, columnStep) = isTransposed ? (1, outputs) : (columns, 1)
    return call.output(
      [Float](unsafeUninitializedCapacity: rows * outputs) { result, count in
        let results = result.baseAddress!
        call.input.values.withUnsafeBufferPointer { input in
          call.parameters[0].values.withUnsafeBufferPointer { weights in
            call.inParallel(outputs) { part in
              for output in part {
                for row in 0..<rows {
                  let sum = dot(
                    input.baseAddress! + row * columns,
                    weights.baseAddress! + output * outputStep, step: columnStep, columns)
                  let rounded = Float(sum + Double(bias[output]))
                  results[row * outputs + output] =
                    activation.map { $0.value(at: rounded) } ?? rounded
                }
              }
            }
          }
        }
        count = rows * outputs
      })
  }

  private func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, step: Int, _ count: Int
  ) -> Double {
    var sum = 0.0
    for k in 0..<count { sum += Double(a[k]) * Double(b[k &* step]) }
    return sum
  }
}
