import IR

extension BatchNorm {
  /// (x - mean) / sqrt(variance + epsilon), per channel.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    let channels = Self.channels(of: shape)
    let inner = shape.axes > 1 ? shape.count(from: 2) : shape.count
    let statistics =
      usesStoredStatistics ? storedStatistics(call.parameters) : measured(call.input, inner)
    return call.output(
      call.input.values.enumerated().map { index, value in
        let (mean, variance) = statistics[index / inner % channels]
        return self.value(at: value, mean: mean, variance: variance)
      })
  }

  private func measured(_ input: Tensor, _ inner: Int) -> [(mean: Double, variance: Double)] {
    let channels = Self.channels(of: input.shape)
    let images = input.count / (channels * inner)
    return (0..<channels).map { channel in
      let values = (0..<images).flatMap { image in
        let start = (image * channels + channel) * inner
        return input.values[start..<start + inner].map { Double($0) }
      }
      return meanAndVariance(values)
    }
  }
}

extension MVN {
  /// (x - mean) / (standard deviation + epsilon), per channel or per image.
  func evaluate(_ call: LayerCall) -> [Tensor] {
    let shape = call.input.shape
    // Axes that the shape lacks have extent 1.
    let size = acrossChannels ? shape.count(from: 1) : shape.count(from: min(2, shape.axes))
    var output: [Float] = []
    output.reserveCapacity(shape.count)
    for start in stride(from: 0, to: shape.count, by: size) {
      let values = call.input.values[start..<start + size].map { Double($0) }
      let (mean, variance) = meanAndVariance(values)
      let divisor = normalizesVariance ? variance.squareRoot() + Double(epsilon) : 1
      output += values.map { Float(($0 - mean) / divisor) }
    }
    return call.output(output)
  }
}

/// The mean, and the mean of the squared distances from it.
private func meanAndVariance(_ values: [Double]) -> (mean: Double, variance: Double) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count)
}
