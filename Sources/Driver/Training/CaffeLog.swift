import Foundation
import IR
import Training

/// Writes what `caffe train` writes, in glog's form: what the scripts that come with Caffe and its forks read.
///
/// Numbers have six significant digits, as C++ streams print them.
public final class CaffeLog: TrainingObserver {
  private let sink: LogSink
  private let now: () -> Date
  private let calendar: Calendar
  /// Comes after the lines of its iteration, but is known before.
  private var sparsity: [ParameterSparsity] = []
  private let dialect: TrainingDialect

  /// - Parameters:
  ///   - dialect: whose lines about sparsity are written.
  ///   - now: the clock that lines are stamped with.
  public init(
    _ sink: LogSink, dialect: TrainingDialect = .bvlc, now: @escaping () -> Date = { Date() }
  ) {
    self.sink = sink
    self.dialect = dialect
    self.now = now
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .current
    self.calendar = calendar
  }

  /// The head of a log and of a run.
  public func begin(net: String, policy: String, resumedFrom snapshot: String?) {
    let time = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: now())
    sink.write([
      String(
        format: "Log file created at: %04d/%02d/%02d %02d:%02d:%02d", time.year ?? 0,
        time.month ?? 0, time.day ?? 0, time.hour ?? 0, time.minute ?? 0, time.second ?? 0),
      "Running on machine: \(ProcessInfo.processInfo.hostName)",
      "Log line format: [IWEF]mmdd hh:mm:ss.uuuuuu threadid file:line] msg",
    ])
    var lines = ["Starting Optimization", "Solving \(net)", "Learning Rate Policy: \(policy)"]
    if let snapshot { lines.append("Restoring previous solver status from \(snapshot)") }
    write(lines)
  }

  /// What weights that were loaded are like; two of the forks print it.
  func loaded(_ sparsity: [ParameterSparsity]) {
    write(sparsity.map { "layer\t\($0.layer)\thas sparsity of \(text(Float($0.elements)))" })
  }

  /// The foot of a run.
  public func end(_ end: Trainer.End) {
    write([end == .finished ? "Optimization Done." : "Optimization stopped early."])
  }

  public func observe(_ event: TrainingEvent) {
    switch event {
    case .sparsity(_, let sparsity): self.sparsity = sparsity
    case .iteration(let report): write(lines(of: report))
    case .test(let report): write(lines(of: report))
    case .target(let target): write([target.text])
    case .snapshot(_, let path): write(["Snapshotting solver state to \(path)"])
    case .note(let note): write([note.message], level: note.level == .note ? "I" : "W")
    }
  }

  private func lines(of report: IterationReport) -> [String] {
    var lines: [String] = []
    if let clipping = report.clipping {
      let wanted = clipping.norm * clipping.factor
      lines.append(
        "Gradient clipping: scaling down gradients (L2 norm \(text(clipping.norm)) > "
          + "\(text(wanted))) by scale factor \(text(clipping.factor))")
    }
    if let step = report.newStep {
      lines.append("MultiStep Status: Iteration \(report.iteration), step = \(step)")
    }
    guard report.isDisplayed else { return lines }
    lines.append("Iteration \(report.iteration), loss = \(text(report.smoothedLoss))")
    lines += outputs(report.outputs, of: "Train")
    guard let rate = report.rate else { return lines }
    lines.append("Iteration \(report.iteration), lr = \(text(rate))")
    if !sparsity.isEmpty { lines += SparsityLines.text(of: sparsity, dialect) }
    if let penalty = report.penalty, !sparsity.isEmpty {
      let sum = Float(penalty) + report.smoothedLoss
      lines.append(
        "    Total regularization terms: \(text(Float(penalty))) loss+regular. : \(text(sum))")
    }
    sparsity = []
    return lines
  }

  /// Mean absolute values of one iteration's blobs, as `debug_info` asks for.
  func debug(_ values: [DebugValue]) { write(values.map { "    " + $0.text }) }

  private func lines(of report: TestReport) -> [String] {
    var lines = ["Iteration \(report.iteration), Testing net (#\(report.net))"]
    if let loss = report.loss { lines.append("Test loss: \(text(loss))") }
    return lines + outputs(report.outputs, of: "Test")
  }

  /// One line per value; a blob that counts in the objective tells its share.
  private func outputs(_ outputs: [NetOutput], of net: String) -> [String] {
    var lines: [String] = []
    for output in outputs {
      for value in output.values {
        let weight = output.lossWeight
        let share =
          weight == 0 ? "" : " (* \(text(weight)) = \(text(weight * value)) loss)"
        lines.append(
          "    \(net) net output #\(lines.count): \(output.name) = \(text(value))\(share)")
      }
    }
    return lines
  }

  private func text(_ value: Float) -> String { String(format: "%g", Double(value)) }

  private func write(_ messages: [String], level: String = "I") {
    guard !messages.isEmpty else { return }
    let time = calendar.dateComponents(
      [.month, .day, .hour, .minute, .second, .nanosecond], from: now())
    let stamp = String(
      format: "%02d%02d %02d:%02d:%02d.%06d", time.month ?? 0, time.day ?? 0, time.hour ?? 0,
      time.minute ?? 0, time.second ?? 0, (time.nanosecond ?? 0) / 1000)
    let process = String(format: "%5d", getpid())
    sink.write(messages.map { "\(level)\(stamp) \(process) solver.cpp:0] \($0)" })
  }
}
