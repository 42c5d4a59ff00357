import IR
import TestSupport
import Testing
import Training

/// Runs a net forward and backward and compares it with the oracle: values of all blobs, the objective, and gradients
/// against central differences.
struct GradientCheck {
  var tolerance = 1e-3
  /// Of values, relative to the largest of a blob.
  var forwardTolerance = 2e-5
  var step: Float = 1 / 128
  /// By how much two one-sided differences may disagree, relative to the largest gradient.
  var kink = 0.02
  /// At most so many elements of an array are tried.
  var samples = 24
  var threads = 1
  /// Inputs that have no gradient, such as labels.
  var fixedInputs: Set<String> = []

  func run(_ builder: NetBuilder, sourceLocation: Testing.SourceLocation = #_sourceLocation) throws
  {
    let net = builder.net()
    let executed = try ExecutedNet(net, inputs: builder.inputs, threads: threads)
    var oracle = NetOracle(net, inputs: builder.inputs, executed)
    let objective = try executed.forward()
    try executed.backward()
    let (expected, blobs) = try oracle.evaluate()
    #expect(
      abs(Double(objective) - expected) <= 1e-4 * max(1, abs(expected)),
      "objective \(objective), not \(expected)", sourceLocation: sourceLocation)
    for (name, tensor) in blobs { compare(executed.blob(name)!, tensor, name, sourceLocation) }

    var random = SeededGenerator(seed: 99)
    var gradients: [String: [Float]] = [:]
    for name in builder.inputs.keys.sorted() where !fixedInputs.contains(name) {
      guard !name.hasSuffix("probe") else { continue }
      let gradient: [Float] = try #require(
        executed.gradient(name), "\(name)", sourceLocation: sourceLocation)
      gradients[name] = gradient
    }
    for (name, gradient) in gradients.sorted(by: { $0.key < $1.key }) {
      try differentiate(&oracle, \.inputs[name]!, gradient, name, &random, sourceLocation)
    }
    for (index, parameter) in executed.parameters.enumerated()
    where parameter.settings.rateFactor != 0 {
      try differentiate(
        &oracle, \.parameters[index], Array(parameter.gradient),
        "\(parameter.layer) \(parameter.settings.slot.name)", &random, sourceLocation)
    }
  }

  private func compare(
    _ result: [Float], _ expected: Tensor, _ name: String, _ sourceLocation: Testing.SourceLocation
  ) {
    let scale = expected.values.reduce(0) { max($0, abs($1)) }
    let worst = zip(result, expected.values).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    #expect(
      Double(worst) <= forwardTolerance * Double(max(scale, 1e-3)),
      "blob \(name) is off by \(worst) of \(scale)", sourceLocation: sourceLocation)
  }

  /// Elements at which the two one-sided differences disagree stand at a kink, and are left out.
  private func differentiate(
    _ oracle: inout NetOracle, _ path: WritableKeyPath<NetOracle, Tensor>, _ gradient: [Float],
    _ name: String, _ random: inout SeededGenerator, _ sourceLocation: Testing.SourceLocation
  ) throws {
    let original = oracle[keyPath: path]
    let center = try oracle.evaluate().objective
    let scale = Double(gradient.reduce(0) { max($0, abs($1)) })
    var chosen = Array(0..<original.count).shuffled(using: &random)
    chosen = Array(chosen.prefix(samples))
    var tried = 0
    for index in chosen {
      func objective(_ step: Float) throws -> (value: Double, distance: Double) {
        var values = original.values
        values[index] += step
        oracle[keyPath: path] = Tensor(shape: original.shape, values: values)
        return (
          try oracle.evaluate().objective, Double(values[index]) - Double(original.values[index])
        )
      }
      let (above, below) = (try objective(step), try objective(-step))
      let slopes = (
        (above.value - center) / above.distance, (below.value - center) / below.distance
      )
      if abs(slopes.0 - slopes.1) > kink * max(scale, abs(slopes.0)) { continue }
      tried += 1
      let numeric = (above.value - below.value) / (above.distance - below.distance)
      #expect(
        abs(numeric - Double(gradient[index])) <= tolerance * max(scale, abs(numeric), 1e-3),
        "gradient of \(name) at \(index) is \(gradient[index]), differences give \(numeric)",
        sourceLocation: sourceLocation)
    }
    oracle[keyPath: path] = original
    #expect(tried * 2 >= chosen.count, "\(name) has too many kinks", sourceLocation: sourceLocation)
  }
}
