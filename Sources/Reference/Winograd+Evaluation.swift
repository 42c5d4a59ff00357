import IR

extension Convolution {
  /// Tile by tile of 4x4 outputs: Aᵀ [sum over channels of v .* (Bᵀ d B)] A, d being the M x M inputs under the tile, 0
  /// outside the image; plus bias, plus the second input's element if there is one.
  ///
  /// - Precondition: `isInWinogradDomain`.
  func evaluateInWinogradDomain(_ call: LayerCall) -> [Tensor] {
    let kernel = window.kernel[0]
    guard let b = WinogradDomain.inputTransform(kernel: kernel),
      let a = WinogradDomain.outputTransform(kernel: kernel)
    else { preconditionFailure("the graph has only kernels that have a transform") }
    let tiles = TransformedTiles(
      input: call.input, output: call.outputShape, pad: window.pad,
      inputTransform: b, outputTransform: a)
    let weights = call.parameters[0].values
    let (channels, plane) = (call.input.shape[1] / groups, tiles.outputPlane)
    let points = b.count * b.count
    var result = [Float](repeating: 0, count: call.outputShape.count)
    for image in 0..<call.outputShape[0] {
      for tile in 0..<tiles.count {
        let inputs = (0..<channels * groups).map {
          tiles.transformed(image, channel: $0, tile: tile)
        }
        for filter in 0..<filters {
          let group = filter / (filters / groups)
          var sums = [Double](repeating: 0, count: points)
          for channel in 0..<channels {
            let first = (filter * channels + channel) * points
            let values = inputs[group * channels + channel]
            for point in 0..<points {
              sums[point] += Double(weights[first + point]) * values[point]
            }
          }
          let bias = hasBias ? Double(call.parameters[1].values[filter]) : 0
          let place = (image * filters + filter) * plane
          for (offset, sum) in tiles.outputs(of: sums, tile: tile) {
            var rounded = Float(sum + bias)
            if addsToInput { rounded += call.inputs[1].values[place + offset] }
            result[place + offset] = activation.map { $0.value(at: rounded) } ?? rounded
          }
        }
      }
    }
    return call.output(result)
  }
}

/// The tiles of a plane of outputs, and the inputs under them.
private struct TransformedTiles {
  let input: Tensor
  let output: Shape
  let pad: [Int]
  let inputTransform: [[Double]]
  let outputTransform: [[Double]]
  private let columns: Int
  let count: Int

  init(
    input: Tensor, output: Shape, pad: [Int], inputTransform: [[Double]],
    outputTransform: [[Double]]
  ) {
    self.input = input
    self.output = output
    self.pad = pad
    self.inputTransform = inputTransform
    self.outputTransform = outputTransform
    let tile = WinogradDomain.tile
    columns = (output[3] + tile - 1) / tile
    count = columns * ((output[2] + tile - 1) / tile)
  }

  var outputPlane: Int { output[2] * output[3] }

  private func corner(of tile: Int) -> (row: Int, column: Int) {
    (tile / columns * WinogradDomain.tile, tile % columns * WinogradDomain.tile)
  }

  /// Bᵀ d B, row-major.
  func transformed(_ image: Int, channel: Int, tile: Int) -> [Double] {
    let (row, column) = corner(of: tile)
    let (height, width) = (input.shape[2], input.shape[3])
    let plane = (image * input.shape[1] + channel) * height * width
    let points = inputTransform.count
    let d = (0..<points).map { y in
      (0..<points).map { x -> Double in
        let (i, j) = (row - pad[0] + y, column - pad[1] + x)
        guard (0..<height).contains(i), (0..<width).contains(j) else { return 0 }
        return Double(input.values[plane + i * width + j])
      }
    }
    return Self.sandwich(inputTransform, d)
  }

  /// Aᵀ m A, with the places in the plane that its elements have.
  func outputs(of sums: [Double], tile: Int) -> [(offset: Int, sum: Double)] {
    let (row, column) = corner(of: tile)
    let points = inputTransform.count
    let m = (0..<points).map { Array(sums[$0 * points..<($0 + 1) * points]) }
    let extent = WinogradDomain.tile
    return Self.sandwich(outputTransform, m).enumerated().compactMap { index, sum in
      let (i, j) = (row + index / extent, column + index % extent)
      guard i < output[2], j < output[3] else { return nil }
      return (i * output[3] + j, sum)
    }
  }

  /// leftᵀ x left, row-major.
  private static func sandwich(_ left: [[Double]], _ x: [[Double]]) -> [Double] {
    let (rows, columns) = (left.count, left[0].count)
    let half = (0..<columns).map { i in
      (0..<rows).map { j in (0..<rows).reduce(0.0) { $0 + left[$1][i] * x[$1][j] } }
    }
    return (0..<columns).flatMap { i in
      (0..<columns).map { j in (0..<rows).reduce(0.0) { $0 + half[i][$1] * left[$1][j] } }
    }
  }
}
