/// Local response normalisation.
///
/// Across channels: y = x * (k + alpha / size * sum of x^2 over `size` neighbouring channels)^-beta.
/// Within a channel: y = x * (1 + alpha / size^2 * sum of x^2 over a size x size window)^-beta; k is ignored.
///
/// Channels that were removed leave their neighbours' windows as they were: `positions` says where the
/// channels once lay, and a parameter [C] holds the sum of squares of the removed ones in each window.
public struct LRN: Layer {
  public enum Region: String, Hashable, Sendable {
    case acrossChannels = "across channels"
    case withinChannel = "within channel"
  }

  /// The window's extent; odd.
  public var size: Int
  public var alpha: Float
  public var beta: Float
  public var k: Float
  public var region: Region
  /// The index that every channel had before others were removed, rising; nil if none was. Only across
  /// channels.
  public var positions: [Int]?

  public init(
    size: Int = 5, alpha: Float = 1, beta: Float = 0.75, k: Float = 1, region: Region,
    positions: [Int]? = nil
  ) {
    self.positions = positions
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
    self.region = region
  }

  public var typeName: String { "LRN" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard size >= 1, size % 2 == 1 else { throw ShapeError("a local size of \(size), not odd") }
    guard inputs[0].axes == 4 else {
      throw ShapeError("LRN needs 4 axes, the input \(inputs[0]) has \(inputs[0].axes)")
    }
    if let positions {
      guard region == .acrossChannels, positions.count == inputs[0][1],
        zip(positions, positions.dropFirst()).allSatisfy({ $0 < $1 })
      else { throw ShapeError("positions \(positions) of \(inputs[0][1]) channels") }
    }
    return inputs
  }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    positions == nil ? [] : [ParameterSlot("removed squares", .vector(inputs[0][1]))]
  }

  /// For every channel the channels whose squares its window sums, itself among them.
  ///
  /// - Parameter channels: how many channels the input has.
  public func windows(channels: Int) -> [Range<Int>] {
    let positions = positions ?? Array(0..<channels)
    let reach = (size - 1) / 2
    var low = 0
    var high = 0
    return positions.map { position in
      while positions[low] < position - reach { low += 1 }
      while high < channels, positions[high] <= position + reach { high += 1 }
      return low..<high
    }
  }

  public var attributes: [Attribute] {
    [
      Attribute("size", size), Attribute("alpha", alpha), Attribute("beta", beta),
    ] + (k == 1 ? [] : [Attribute("k", k)])
      + (region == .acrossChannels ? [] : [Attribute("region", region.rawValue)])
      + (positions.map {
        [Attribute("positions", $0.map(String.init).joined(separator: ","))]
      } ?? [])
  }
}

/// Normalises each channel by a mean and a variance; there is no learned scale.
///
/// y = (x - mean) / sqrt(variance + epsilon). Parameters: sums of means [C] and variances [C], and the
/// factor [1] that both are divided by (0 stands for mean = variance = 0).
public struct BatchNorm: Layer {
  public var epsilon: Float
  /// Stored statistics; otherwise those of the batch itself, with the biased variance.
  public var usesStoredStatistics: Bool

  public init(epsilon: Float = 1e-5, usesStoredStatistics: Bool = true) {
    self.epsilon = epsilon
    self.usesStoredStatistics = usesStoredStatistics
  }

  public var typeName: String { "BatchNorm" }

  /// The number of channels of an input: axis 1, or one if there is no axis 1.
  public static func channels(of shape: Shape) -> Int { shape.axes > 1 ? shape[1] : 1 }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] { inputs }

  public func parameters(for inputs: [Shape]) throws(ShapeError) -> [ParameterSlot] {
    let channels = Self.channels(of: inputs[0])
    return [
      ParameterSlot("mean sum", .vector(channels)),
      ParameterSlot("variance sum", .vector(channels)),
      ParameterSlot("factor", .vector(1)),
    ]
  }

  /// The mean and the variance of every channel as the parameters store them.
  ///
  /// Parameters as `parameters(for:)` has them. A factor of 0 means that there are no statistics yet: mean
  /// and variance are 0.
  public func storedStatistics(_ parameters: [Tensor]) -> [(mean: Double, variance: Double)] {
    let factor = Double(parameters[2].values[0])
    let scale = factor == 0 ? 0 : 1 / factor
    return zip(parameters[0].values, parameters[1].values).map { mean, variance in
      (Double(mean) * scale, Double(variance) * scale)
    }
  }

  /// One element of a channel, normalised.
  public func value(at x: Float, mean: Double, variance: Double) -> Float {
    Float((Double(x) - mean) / (variance + Double(epsilon)).squareRoot())
  }

  /// The layer with stored statistics as y = scale[c] * x + shift[c].
  public func scaleAndShift(_ parameters: [Tensor]) -> (scale: [Double], shift: [Double]) {
    var scale: [Double] = []
    var shift: [Double] = []
    for (mean, variance) in storedStatistics(parameters) {
      let slope = 1 / (variance + Double(epsilon)).squareRoot()
      scale.append(slope)
      shift.append(-mean * slope)
    }
    return (scale, shift)
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    if !usesStoredStatistics, inputs[0].isBatched {
      return .mixes(because: "it normalises by the statistics of the batch")
    }
    // With one axis all items share one channel's statistics, and they still stay apart.
    return Self.itemwise(inputs)
  }

  public var attributes: [Attribute] {
    [Attribute("epsilon", epsilon)]
      + (usesStoredStatistics ? [] : [Attribute("statistics", "batch")])
  }
}

/// Mean-variance normalisation of each image: (x - mean) / (standard deviation + epsilon).
public struct MVN: Layer {
  public var normalizesVariance: Bool
  /// One mean for all channels of an image instead of one per channel.
  public var acrossChannels: Bool
  /// Added to the standard deviation, not to the variance.
  public var epsilon: Float

  public init(
    normalizesVariance: Bool = true, acrossChannels: Bool = false, epsilon: Float = 1e-9
  ) {
    self.normalizesVariance = normalizesVariance
    self.acrossChannels = acrossChannels
    self.epsilon = epsilon
  }

  public var typeName: String { "MVN" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    guard inputs[0].axes >= 1, inputs[0].axes <= 4 else {
      throw ShapeError("MVN needs 1 to 4 axes, the input \(inputs[0]) has \(inputs[0].axes)")
    }
    return inputs
  }

  public var attributes: [Attribute] {
    (normalizesVariance ? [] : [Attribute("variance", "kept")])
      + (acrossChannels ? [Attribute("region", "across channels")] : [])
      + [Attribute("epsilon", epsilon)]
  }
}

/// Normalised exponentials along one axis; the maximum is subtracted first.
public struct Softmax: Layer {
  /// May count from the end.
  public var axis: Int

  public init(axis: Int = 1) { self.axis = axis }

  public var typeName: String { "Softmax" }

  public func outputShapes(for inputs: [Shape]) throws(ShapeError) -> [Shape] {
    _ = try inputs[0].canonicalAxis(axis)
    return inputs
  }

  public func batchRule(for inputs: [BatchedShape]) -> BatchRule {
    Self.itemwise(inputs, workingAlong: axis, "normalises along")
  }

  public var attributes: [Attribute] { axis == 1 ? [] : [Attribute("axis", axis)] }
}
