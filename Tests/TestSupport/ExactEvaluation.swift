import Glibc
import IR
import Reference

/// A graph's values, and whether they are those that rational arithmetic gives.
///
/// The processor raises a flag whenever a floating-point operation rounds its result. If the flag is down behind
/// a layer, no operation of it rounded, and float arithmetic was rational arithmetic. Two graphs that were
/// both evaluated like this agree in rational numbers if and only if they agree in floats.
public struct ExactEvaluation {
  /// All values, by ID.
  public private(set) var values: [ValueID: Tensor]
  /// The layers that rounded.
  public private(set) var roundings: [String] = []

  /// Whether nothing was rounded.
  public var isExact: Bool { roundings.isEmpty }

  /// Evaluates a graph; one that is evaluated per item with as many items as the inputs have.
  ///
  /// On one thread: each has flags of its own.
  public init(_ graph: Graph, inputs: [ValueID: Tensor]) throws {
    var evaluator = Evaluator(graph)
    if graph.batch == .perItem, let first = graph.inputs.first, let tensor = inputs[first] {
      evaluator = try Evaluator(graph, items: tensor.shape[0])
    }
    values = inputs
    for id in graph.order {
      let layerInputs = graph[id].inputs.compactMap { values[$0] }
      // Around the layer alone: Swift's dictionaries compute with fractions, too.
      InexactFlag.clear()
      let outputs = try evaluator.evaluate(id, inputs: layerInputs)
      let wasRaised = InexactFlag.isRaised
      if wasRaised, !graph[id].isExact(outputs, of: layerInputs) {
        roundings.append(graph[id].name)
      }
      for (output, tensor) in zip(graph[id].outputs, outputs) { values[output] = tensor }
    }
  }
}

/// The processor's note that a result was rounded.
public enum InexactFlag {
  private static let flag: Int32 = FE_INEXACT

  public static func clear() { feclearexcept(flag) }
  public static var isRaised: Bool { fetestexcept(flag) != 0 }
}

extension Node {
  /// Whether `output` is exact although the flag is up: the library's power function raises it even if its
  /// result is exact. So powers that are plain products are multiplied out here, and compared.
  fileprivate func isExact(_ outputs: [Tensor], of inputs: [Tensor]) -> Bool {
    let product: [Float]?
    InexactFlag.clear()
    switch operation {
    case .elementwise(let layer): product = layer.function.multipliedOut(inputs[0].values)
    case .lrn(let layer) where layer.beta == -1:
      product = layer.multipliedOut(inputs[0], removed: parameters.first?.values)
    // A maximum computes nothing; the extents of its windows are quotients.
    case .spatialPyramidPooling(let layer): return layer.reduction == .max
    default: return false
    }
    let wasRaised = InexactFlag.isRaised
    return !wasRaised && product == outputs[0].values
  }
}

extension ElementwiseFunction {
  /// (shift + scale x)^0, 1 or 2 without the power function; nil if it is another function.
  @inline(never)
  fileprivate func multipliedOut(_ inputs: [Float]) -> [Float]? {
    guard case .power(let power, let scale, let shift) = self, [0, 1, 2].contains(power) else {
      return nil
    }
    return inputs.map { x in
      let base = scale == 0 ? Double(shift) : Double(shift) + Double(scale) * Double(x)
      return Float(power == 0 ? 1 : power == 1 ? base : base * base)
    }
  }
}

extension LRN {
  /// x * (k + alpha / size * sum of squares), from the definition.
  @inline(never)
  fileprivate func multipliedOut(_ input: Tensor, removed: [Float]?) -> [Float] {
    let (channels, height, width) = (input.shape[1], input.shape[2], input.shape[3])
    let reach = size / 2
    let places = positions ?? Array(0..<channels)
    func square(_ image: Int, _ channel: Int, _ y: Int, _ x: Int) -> Double {
      guard (0..<height).contains(y), (0..<width).contains(x) else { return 0 }
      let value = Double(input.values[((image * channels + channel) * height + y) * width + x])
      return value * value
    }
    return input.values.enumerated().map { index, value in
      let (x, y) = (index % width, index / width % height)
      let (channel, image) = (
        index / (width * height) % channels, index / (width * height * channels)
      )
      var sum = 0.0
      switch region {
      case .acrossChannels:
        for other in 0..<channels where abs(places[other] - places[channel]) <= reach {
          sum += square(image, other, y, x)
        }
        sum += Double(removed?[channel] ?? 0)
        return Float(Double(value) * (Double(k) + Double(alpha) / Double(size) * sum))
      case .withinChannel:
        for dy in -reach...reach {
          for dx in -reach...reach { sum += square(image, channel, y + dy, x + dx) }
        }
        return Float(Double(value) * (1 + Double(alpha) / Double(size * size) * sum))
      }
    }
  }
}
