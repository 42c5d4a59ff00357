import Foundation
import IR
import Training

/// Writes one JSON object a line: what `sparsec plot` and programs read.
///
/// `kind` is `start`, `loaded`, `train`, `test`, `sparsity`, `snapshot`, `note`, `debug` or `end`.
public final class JSONLog: TrainingObserver {
  private struct Line: Encodable {
    var kind: String
    var iteration: Int?
    var seconds: Double
    var net: String?
    var policy: String?
    var resumedFrom: String?
    var loss: Float?
    var learningRate: Float?
    var penalty: Double?
    var testNet: Int?
    var outputs: [String: Float]?
    var sparsity: [String: Double]?
    var columns: [String: Double]?
    var rows: [String: Double]?
    /// By layer, then by the size of blocks.
    var blocks: [String: [String: Double]]?
    var path: String?
    var message: String?
    var structure: String?
    var targets: [Target]?
    var areFixed: Bool?

    /// Where a scope of a target stands.
    struct Target: Encodable {
      var scope: String
      var reached: Double
      var wanted: Double
      var final: Double
      var strength: Float
    }

    enum CodingKeys: String, CodingKey {
      case structure, targets
      case areFixed = "fixed"
      case kind, iteration, seconds, net, policy, loss, penalty, outputs, sparsity, columns, rows
      case blocks, path, message
      case resumedFrom = "resumed_from"
      case learningRate = "learning_rate"
      case testNet = "test_net"
    }
  }

  private let sink: LogSink
  private let start = ProcessInfo.processInfo.systemUptime

  public init(_ sink: LogSink) { self.sink = sink }

  public func begin(net: String, policy: String, resumedFrom snapshot: String?) {
    var line = blank("start")
    line.net = net
    line.policy = policy
    line.resumedFrom = snapshot
    write(line)
  }

  /// What weights that were loaded are like.
  func loaded(_ sparsity: [ParameterSparsity]) {
    guard !sparsity.isEmpty else { return }
    write(shares(of: sparsity, in: blank("loaded")))
  }

  public func end(_ end: Trainer.End) {
    var line = blank("end")
    line.message = end == .finished ? "finished" : "stopped"
    write(line)
  }

  /// Mean absolute values of one iteration's blobs, as `debug_info` asks for.
  func debug(_ values: [DebugValue]) {
    for value in values {
      var line = blank("debug")
      line.message = value.text
      write(line)
    }
  }

  public func observe(_ event: TrainingEvent) {
    switch event {
    case .iteration(let report) where report.isDisplayed:
      var line = blank("train", report.iteration)
      line.loss = report.smoothedLoss
      line.learningRate = report.rate
      line.penalty = report.penalty
      line.outputs = outputs(report.outputs)
      write(line)
    case .iteration: break
    case .test(let report):
      var line = blank("test", report.iteration)
      line.testNet = report.net
      line.loss = report.loss
      line.outputs = outputs(report.outputs)
      write(line)
    case .sparsity(let iteration, let sparsity):
      write(shares(of: sparsity, in: blank("sparsity", iteration)))
    case .target(let target):
      var line = blank("target", target.iteration)
      line.structure = target.structure.rawValue
      line.areFixed = target.areFixed
      line.targets = target.scopes.map {
        Line.Target(
          scope: $0.title, reached: $0.reached, wanted: $0.wanted, final: $0.final,
          strength: $0.strength)
      }
      write(line)
    case .snapshot(let iteration, let path):
      var line = blank("snapshot", iteration)
      line.path = path
      write(line)
    case .note(let note):
      var line = blank("note")
      line.message = note.description
      write(line)
    }
  }

  private func blank(_ kind: String, _ iteration: Int? = nil) -> Line {
    let seconds = ProcessInfo.processInfo.systemUptime - start
    return Line(kind: kind, iteration: iteration, seconds: (seconds * 1000).rounded() / 1000)
  }

  /// The line with the shares of each layer's weights.
  private func shares(of sparsity: [ParameterSparsity], in line: Line) -> Line {
    let weights = sparsity.filter { $0.index == 0 }
    func byLayer<Share>(_ share: (ParameterSparsity) -> Share) -> [String: Share] {
      Dictionary(weights.map { ($0.layer, share($0)) }, uniquingKeysWith: { first, _ in first })
    }
    var line = line
    line.sparsity = byLayer(\.elements)
    line.columns = byLayer(\.columns)
    line.rows = byLayer(\.rows)
    let blocks = byLayer { array in
      Dictionary(
        array.tiles.map { ("(\($0.width),\($0.height))", $0.share) },
        uniquingKeysWith: { first, _ in first })
    }.filter { !$0.value.isEmpty }
    if !blocks.isEmpty { line.blocks = blocks }
    return line
  }

  /// One value per name; the values of a larger output are told apart by an index.
  private func outputs(_ outputs: [NetOutput]) -> [String: Float] {
    var result: [String: Float] = [:]
    for output in outputs {
      for (index, value) in output.values.enumerated() {
        result[output.values.count == 1 ? output.name : "\(output.name)[\(index)]"] = value
      }
    }
    return result
  }

  private func write(_ line: Line) {
    // What JSON cannot say of numbers, JSONText says in words; encoding cannot fail otherwise.
    if let text = try? JSONText.line(line) { sink.write([text]) }
  }
}
