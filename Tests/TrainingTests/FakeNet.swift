import IR

@testable import Training

/// A net whose objective is half the squared distance of its weights to points that a random source makes: enough
/// for a solver, with a data position that a resumed run must find again.
final class FakeNet: TrainedNet {
  let parameters: [Parameter]
  private var random: RandomSource
  private var target: [[Float]] = []
  private(set) var batches = 0
  /// The batch whose data are broken.
  var throwsAt: Int?
  /// The loss of every batch from this one on is not a number.
  var breaksAt = Int.max
  /// How many such losses there are.
  var recoversAfter = Int.max
  /// What losses are multiplied by from `breaksAt` on, instead of being no numbers.
  var explosion: Float?

  init(parameters: [Parameter], seed: UInt64 = 7) {
    self.parameters = parameters
    random = RandomSource(seed: seed)
  }

  /// A definition of two InnerProducts of `columns` inputs, the second with a shared bias.
  static func definition(columns: Int = 40, bias: String = "") throws -> TrainingNet {
    func layer(_ name: String, _ bottom: String) throws -> TrainingLayer {
      var slots = [
        TrainingParameter(
          slot: ParameterSlot("weights", try Shape([columns, columns])), filler: .constant(0)),
        TrainingParameter(slot: ParameterSlot("bias", .vector(columns)), filler: .constant(0)),
      ]
      slots[1].sharedName = bias
      slots[1].rateFactor = 2
      slots[1].decayFactor = 0
      let shape = try Shape([1, columns])
      return TrainingLayer(
        name: name, typeName: "InnerProduct",
        operation: .operation(.innerProduct(InnerProduct(outputs: columns))), bottoms: [bottom],
        tops: [name], inputShapes: [shape], outputShapes: [shape], parameters: slots)
    }
    return TrainingNet(
      name: "fake", phase: .train, layers: [try layer("a", "x"), try layer("b", "a")])
  }

  /// The parameters of a definition, filled with normal deviates.
  static func parameters(of net: TrainingNet, seed: UInt64 = 3) -> [Parameter] {
    var random = RandomSource(seed: seed)
    var names: Set<String> = []
    return net.layers.flatMap { layer in
      layer.parameters.enumerated().compactMap { index, settings in
        if !settings.sharedName.isEmpty, !names.insert(settings.sharedName).inserted { return nil }
        let parameter = Parameter(layer: layer.name, index: index, settings: settings)
        for i in parameter.values.indices { parameter.values[i] = Float(random.normal()) }
        return parameter
      }
    }
  }

  var outputs: [NetOutput] { [NetOutput(name: "loss", values: [Float(batches)], lossWeight: 1)] }

  func forward() throws(Diagnostic) -> Float {
    target = parameters.map { parameter in parameter.values.map { _ in random.unit() - 0.5 } }
    batches += 1
    if batches == throwsAt { throw .error("record 7: is empty", file: "lmdb") }
    var sum: Float = 0
    for (parameter, target) in zip(parameters, target) {
      for (value, point) in zip(parameter.values, target) {
        sum += (value - point) * (value - point) / 2
      }
    }
    if batches > breaksAt, recoversAfter > 0 {
      recoversAfter -= 1
      return explosion.map { $0 * sum } ?? .nan
    }
    return sum
  }

  func backward() throws(Diagnostic) {
    for (parameter, target) in zip(parameters, target) {
      for i in parameter.gradient.indices {
        parameter.gradient[i] += parameter.values[i] - target[i]
      }
    }
  }

  var state: [String: [UInt8]] { ["data": random.bytes] }

  func restore(_ state: [String: [UInt8]]) throws(Diagnostic) {
    guard let bytes = state["data"], let random = RandomSource(bytes: bytes) else {
      throw .error("no position for the data")
    }
    self.random = random
  }

  var firstNonFinite: String? { batches > breaksAt && explosion == nil ? "b" : nil }
}

/// Keeps what it saw.
final class Recorder: TrainingObserver {
  var events: [TrainingEvent] = []
  var onEvent: (TrainingEvent) -> Void = { _ in }

  func observe(_ event: TrainingEvent) {
    events.append(event)
    onEvent(event)
  }

  /// What notes say.
  var notes: [String] {
    events.compactMap { event in
      if case .note(let note) = event { note.message } else { nil }
    }
  }

  /// The events as one word each.
  var summary: [String] {
    events.map { event in
      switch event {
      case .iteration(let report):
        report.rate == nil ? "look \(report.iteration)" : "update \(report.iteration)"
      case .test(let report): "test \(report.net) at \(report.iteration)"
      case .sparsity(let iteration, _): "sparsity \(iteration)"
      case .target(let report): "target \(report.iteration)"
      case .snapshot(let iteration, _): "snapshot \(iteration)"
      case .note(let note): "\(note.level)"
      }
    }
  }
}

extension Parameter {
  /// Copies: the memory is gone with the parameter, which a test may hold for the last time.
  var contents: [Float] { withExtendedLifetime(self) { Array(values) } }
  var slope: [Float] { withExtendedLifetime(self) { Array(gradient) } }
}

extension Solver {
  /// The bits of everything that it learns.
  var bits: [[UInt32]] { parameters.map { $0.contents.map(\.bitPattern) } }
}
