import IR

/// Reduces all axes from one on to one number each.
final class ReductionExecution: LayerExecution {
  private let context: LayerContext
  private let layer: Reduction
  private let size: Int

  init(_ layer: Reduction, _ context: LayerContext) {
    self.context = context
    self.layer = layer
    size = context.input.count / context.output.count
  }

  func forward() {
    let input = context.input.values
    for result in 0..<context.output.count {
      var sum = 0.0
      for i in result * size..<(result + 1) * size {
        let value = Double(input[i])
        switch layer.operation {
        case .sum, .mean: sum += value
        case .sumOfAbsolutes: sum += abs(value)
        case .sumOfSquares: sum += value * value
        }
      }
      context.output.values[result] = factor * Float(sum)
    }
  }

  func backward() {
    guard context.input.wantsGradient else { return }
    let (input, result) = (context.input.values, context.input.gradient)
    for row in 0..<context.output.count {
      let gradient = context.output.gradient[row] * factor
      for i in row * size..<(row + 1) * size {
        switch layer.operation {
        case .sum, .mean: result[i] = gradient
        case .sumOfAbsolutes: result[i] = input[i] > 0 ? gradient : input[i] < 0 ? -gradient : 0
        case .sumOfSquares: result[i] = 2 * gradient * input[i]
        }
      }
    }
  }

  private var factor: Float {
    layer.operation == .mean ? layer.coefficient / Float(size) : layer.coefficient
  }
}

/// Mean-variance normalisation of each image or of each of its channels.
final class MVNExecution: LayerExecution {
  private let context: LayerContext
  private let layer: MVN
  private let size: Int
  /// What each row was divided by.
  private var divisors: [Float]

  init(_ layer: MVN, _ context: LayerContext) {
    self.context = context
    self.layer = layer
    let shape = context.input.shape
    // Axes that the shape lacks have extent 1.
    size = layer.acrossChannels ? shape.count(from: 1) : shape.count(from: min(2, shape.axes))
    divisors = Array(repeating: 1, count: shape.count / size)
  }

  func forward() {
    for row in divisors.indices {
      let (x, y) = (context.input.values + row * size, context.output.values + row * size)
      var (sum, squares) = (0.0, 0.0)
      for i in 0..<size { sum += Double(x[i]) }
      let mean = sum / Double(size)
      for i in 0..<size { squares += (Double(x[i]) - mean) * (Double(x[i]) - mean) }
      if layer.normalizesVariance {
        divisors[row] = Float((squares / Double(size)).squareRoot() + Double(layer.epsilon))
      }
      for i in 0..<size { y[i] = Float(Double(x[i]) - mean) / divisors[row] }
    }
  }

  /// As Caffe: the epsilon's part in the slope is left out.
  func backward() {
    guard context.input.wantsGradient else { return }
    for row in divisors.indices {
      let (y, dy) = (context.output.values + row * size, context.output.gradient + row * size)
      let dx = context.input.gradient + row * size
      var (sum, product) = (0.0, 0.0)
      for i in 0..<size {
        sum += Double(dy[i])
        product += Double(dy[i]) * Double(y[i])
      }
      let mean = Float(sum / Double(size))
      let slope = layer.normalizesVariance ? Float(product / Double(size)) : 0
      for i in 0..<size { dx[i] = (dy[i] - mean - y[i] * slope) / divisors[row] }
    }
  }
}

/// Indices or values of the largest elements; of equal ones the highest index comes first.
final class ArgMaxExecution: LayerExecution {
  private let context: LayerContext
  private let layer: ArgMax

  init(_ layer: ArgMax, _ context: LayerContext) {
    self.context = context
    self.layer = layer
  }

  func forward() {
    let (input, shape) = (context.input.values, context.input.shape)
    let output = context.output.values
    guard let axis = layer.axis else {
      let size = shape.count(from: 1)
      let width = layer.writesValues ? 2 * layer.top : layer.top
      for item in 0..<shape[0] {
        let row = input + item * size
        for (rank, index) in largest(size, { row[$0] }).enumerated() {
          output[item * width + rank] = Float(index)
          if layer.writesValues { output[item * width + layer.top + rank] = row[index] }
        }
      }
      return
    }
    let extents = AxisExtents(shape, axis: axis)
    extents.visit { start, o, i in
      let best = largest(extents.along) { input[start + $0 * extents.inner] }
      for (rank, index) in best.enumerated() {
        output[(o * layer.top + rank) * extents.inner + i] =
          layer.writesValues ? input[start + index * extents.inner] : Float(index)
      }
    }
  }

  /// Nothing depends on its input smoothly.
  func backward() {}

  private func largest(_ count: Int, _ value: (Int) -> Float) -> [Int] {
    let sorted = (0..<count).sorted { (value($0), $0) > (value($1), $1) }
    return Array(sorted.prefix(layer.top))
  }
}

/// The numbers of elements before, along and behind an axis.
struct AxisExtents {
  var outer: Int
  var along: Int
  var inner: Int

  init(_ shape: Shape, axis: Int) {
    let axis = axis < 0 ? axis + shape.axes : axis
    (outer, along, inner) = (shape.count(upTo: axis), shape[axis], shape.count(from: axis + 1))
  }

  /// Calls `body` for every line along the axis with its first element, which lies before the others by `inner` each.
  func visit(_ body: (_ start: Int, _ outer: Int, _ inner: Int) -> Void) {
    for o in 0..<outer {
      for i in 0..<inner { body(o * along * inner + i, o, i) }
    }
  }
}
