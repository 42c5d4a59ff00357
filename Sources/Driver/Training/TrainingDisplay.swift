import Foundation
import IR
import Training

/// Shows people how training goes: a bar with speed, time left, loss and accuracy on a terminal, and a line for each
/// test, snapshot and note.
public final class TrainingDisplay: TrainingObserver {
  private let progress: Progress
  private let lines: LogSink
  private let report: (Diagnostic) -> Void
  private let iterations: Int
  private let itemsPerIteration: Int
  private let start: Double
  private var firstIteration: Int?
  private var accuracy: String?

  /// - Parameters:
  ///   - iterations: at which iteration training ends.
  ///   - itemsPerIteration: items of one update; 0 if unknown.
  ///   - lines: takes the lines about tests and snapshots.
  ///   - report: takes warnings.
  public init(
    iterations: Int, itemsPerIteration: Int, progress: Progress, lines: LogSink,
    report: @escaping (Diagnostic) -> Void
  ) {
    self.iterations = iterations
    self.itemsPerIteration = itemsPerIteration
    self.progress = progress
    self.lines = lines
    self.report = report
    start = ProcessInfo.processInfo.systemUptime
  }

  public func observe(_ event: TrainingEvent) {
    switch event {
    case .iteration(let report): show(report)
    case .test(let report):
      let outputs = report.outputs.map { "\($0.name) \(text($0.values))" }
      accuracy = report.outputs.first { $0.lossWeight == 0 }.map {
        "\($0.name) \(text($0.values))"
      }
      let net = report.net == 0 ? "" : " (net \(report.net))"
      show("iteration \(report.iteration): test\(net): " + outputs.joined(separator: ", "))
    case .sparsity(let iteration, let sparsity):
      let weights = sparsity.filter { $0.index == 0 && $0.elements > 0 }
      guard !weights.isEmpty else { return }
      let shares = weights.map { "\($0.layer) \(percent($0.elements))" }
      show("iteration \(iteration): zeros: " + shares.joined(separator: ", "))
    case .target(let target):
      if target.isWorthALine { show(target.text) }
    case .snapshot(let iteration, let path): show("iteration \(iteration): saved \(path)")
    case .note(let note):
      progress.clear()
      report(note)
    }
  }

  /// Mean absolute values of one iteration's blobs, as `debug_info` asks for.
  func debug(_ values: [DebugValue]) {
    progress.clear()
    lines.write(values.map(\.text))
  }

  private func show(_ report: IterationReport) {
    let first = firstIteration ?? report.iteration
    firstIteration = first
    let done = report.iteration - first
    var parts = ["iteration \(report.iteration)", "loss \(text([report.smoothedLoss]))"]
    if let accuracy { parts.append(accuracy) }
    let elapsed = ProcessInfo.processInfo.systemUptime - start
    if done > 0, itemsPerIteration > 0, elapsed > 0 {
      parts.append("\(Int(Double(done * itemsPerIteration) / elapsed)) images/s")
    }
    if report.isDisplayed {
      show(
        "iteration \(report.iteration): loss \(text([report.smoothedLoss]))"
          + (report.rate.map { ", learning rate \(text([$0]))" } ?? ""))
    }
    let left = max(1, iterations - first)
    progress.update(parts.joined(separator: ", "), Double(done) / Double(left))
  }

  private func show(_ line: String) {
    progress.clear()
    lines.write([line])
  }

  private func text(_ values: [Float]) -> String {
    values.prefix(4).map { String(format: "%.4g", Double($0)) }.joined(separator: " ")
      + (values.count > 4 ? " …" : "")
  }

  private func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}

extension TargetReport {
  /// Whether people want to know: the zeros were fixed, or it is one of some twenty looks of a run.
  fileprivate var isWorthALine: Bool { areFixed || number % 10 == 0 }

  /// `zeros by filter: conv1 45.0 % (of 60.0 % now, 85.0 % wanted), strength 0.0012`
  var text: String {
    func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
    let parts = scopes.prefix(8).map { scope in
      let place = scope.title == "net" ? "" : "\(scope.title) "
      let strength = String(format: "%.3g", Double(scope.strength))
      return areFixed
        ? "\(place)\(percent(scope.reached))"
        : "\(place)\(percent(scope.reached)) (of \(percent(scope.wanted)) now, "
          + "\(percent(scope.final)) in the end; strength \(strength))"
    }
    let more = scopes.count > 8 ? ", …" : ""
    let what = areFixed ? "zeros fixed" : "zeros"
    return "iteration \(iteration): \(what) by \(structure.rawValue): "
      + parts.joined(separator: ", ") + more
  }
}
