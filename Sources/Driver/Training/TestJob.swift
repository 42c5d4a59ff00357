import Caffe
import Foundation
import IR
import Training

/// Runs a net over data and averages its outputs: `sparsec test`, as `caffe test`.
public struct TestJob {
  public struct Options: Sendable {
    /// The net's prototxt, with data layers for the test phase.
    public var model: String
    /// By layer name; of several the last one that has a layer wins.
    public var weights: [String]
    public var iterations = 50
    public var threads = 1
    public var seed: UInt64 = 0
    public var level = 0
    public var stages: [String] = []
    public var dialect: TrainingDialect?

    public init(model: String, weights: [String]) {
      self.model = model
      self.weights = weights
    }
  }

  /// The means over all batches.
  public struct Result: Sendable {
    struct Output: Encodable {
      var name: String
      var values: [Float]
      var lossWeight: Float
    }

    private struct Document: Encodable {
      var iterations: Int
      var loss: Float
      var outputs: [String: [Float]]
    }

    let outputs: [Output]
    let loss: Float
    let iterations: Int

    /// Lines as Caffe prints them: `accuracy = 0.9909`.
    public var text: String {
      outputs.flatMap { output in
        output.values.map { value in
          let weight = output.lossWeight
          let share =
            weight == 0
            ? "" : String(format: " (* %g = %g loss)", Double(weight), Double(weight * value))
          return "\(output.name) = \(String(format: "%g", Double(value)))\(share)\n"
        }
      }.joined()
    }

    public func json() throws(Diagnostic) -> String {
      try JSONText.document(
        Document(
          iterations: iterations, loss: loss,
          outputs: Dictionary(
            outputs.map { ($0.name, $0.values) }, uniquingKeysWith: { first, _ in first })))
    }
  }

  private let options: Options
  /// Takes notes and warnings.
  public var report: (Diagnostic) -> Void = { _ in }
  /// Told the batch that was done and the net's outputs then.
  public var progress: (String, Double) -> Void = { _, _ in }

  public init(_ options: Options) { self.options = options }

  /// - Throws: the first thing wrong with the files or the data.
  public func run() throws(Diagnostic) -> Result {
    guard options.iterations >= 1 else {
      throw .error("--iterations \(options.iterations): at least 1")
    }
    let prototxt = try Prototxt.read(options.model, as: .net)
    var state = NetState()
    state.phase = .test
    state.level = options.level
    state.stages = options.stages
    let dialect = options.dialect ?? TrainingDialect.detected(in: [prototxt]).dialect
    let assembly = NetAssembly(dialect: dialect, seed: options.seed, threads: options.threads)
    let (definition, net) = try assembly.net(prototxt, state: state)
    let files = options.weights.joined(separator: ",")
    let (layers, findings) = try SnapshotFiles.weights(options.weights, for: definition)
    findings.forEach(report)
    guard !layers.isEmpty else { throw .error("has no layer of this net", file: files) }
    try net.load(layers, definition: definition, file: files)
    let count = options.iterations
    let result = try NetTest.run(net, iterations: count) { batch, _ in
      progress("batch \(batch + 1)", Double(batch + 1) / Double(count))
      return true
    }
    return Result(
      outputs: result.outputs.map {
        .init(name: $0.name, values: $0.values, lossWeight: $0.lossWeight)
      }, loss: result.loss, iterations: count)
  }
}
