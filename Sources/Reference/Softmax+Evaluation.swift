import Foundation
import IR

extension Softmax {
  /// e^(x - maximum) / sum of the same, along the axis.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let (outer, along, inner) = call.input.shape.extents(around: axis)
    let input = call.input.values
    var output = [Float](repeating: 0, count: input.count)
    for o in 0..<outer {
      for i in 0..<inner {
        let indices = (0..<along).map { (o * along + $0) * inner + i }
        let maximum = indices.reduce(-Double.infinity) { max($0, Double(input[$1])) }
        let exponentials = indices.map { exp(Double(input[$0]) - maximum) }
        let sum = exponentials.reduce(0, +)
        for (index, exponential) in zip(indices, exponentials) {
          output[index] = Float(exponential / sum)
        }
      }
    }
    return call.output(output)
  }
}
