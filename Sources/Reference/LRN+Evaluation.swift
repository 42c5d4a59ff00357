import Foundation
import IR

extension LRN {
  /// x * (offset + alpha / window size * sum of squares in the window)^-beta
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let squares = call.input.values.map { Double($0) * Double($0) }
    let reach = (size - 1) / 2
    let windows = windows(channels: shape[1])
    let removed = positions == nil ? nil : call.parameters[0].values
    var output: [Float] = []
    output.reserveCapacity(shape.count)
    for image in 0..<shape[0] {
      for channel in 0..<shape[1] {
        for row in 0..<shape[2] {
          for column in 0..<shape[3] {
            func index(_ c: Int, _ y: Int, _ x: Int) -> Int {
              ((image * shape[1] + c) * shape[2] + y) * shape[3] + x
            }
            var sum = 0.0
            var base: Double
            switch region {
            case .acrossChannels:
              sum = Double(removed?[channel] ?? 0)
              for c in windows[channel] { sum += squares[index(c, row, column)] }
              base = Double(k) + Double(alpha) / Double(size) * sum
            case .withinChannel:
              for y in near(row, reach, shape[2]) {
                for x in near(column, reach, shape[3]) { sum += squares[index(channel, y, x)] }
              }
              // The divisor is the whole window at the border too, and k has no part in it.
              base = 1 + Double(alpha) / (Double(size) * Double(size)) * sum
            }
            let value = Double(call.input.values[index(channel, row, column)])
            output.append(Float(value * pow(base, -Double(beta))))
          }
        }
      }
    }
    return call.output(output)
  }

  private func near(_ center: Int, _ reach: Int, _ extent: Int) -> Range<Int> {
    max(center - reach, 0)..<min(center + reach + 1, extent)
  }
}
