import Foundation
import IR
import Training

/// Everybody who watches a run: a log in a file or on standard output, and the display for people.
final class TrainingWatchers: TrainingObserver {
  private var caffe: CaffeLog?
  private var json: JSONLog?
  private var display: TrainingDisplay?
  private var sinks: [LogSink] = []
  /// What `debug_info` asks for, after each iteration; empty if it does not.
  var debugValues: () -> [DebugValue] = { [] }

  /// A log without a file takes the display's place.
  ///
  /// - Parameter dialect: whose lines a log in Caffe's form has.
  /// - Throws: if the log cannot be written.
  init(
    _ options: TrainOptions, dialect: TrainingDialect, display: (LogSink) -> TrainingDisplay
  ) throws(Diagnostic) {
    let output = LogSink.standardOutput
    let style = options.logStyle ?? (options.log == nil ? nil : .caffe)
    var sink = output
    if let path = options.log { sink = try LogSink.file(path) }
    sinks = [output, sink]
    switch style {
    case .caffe: caffe = CaffeLog(sink, dialect: dialect)
    case .json: json = JSONLog(sink)
    case nil: break
    }
    if style == nil || options.log != nil { self.display = display(output) }
  }

  /// What went wrong with a log first.
  var failure: Diagnostic? { sinks.lazy.compactMap(\.failure).first }

  func begin(net: String, policy: String, resumedFrom snapshot: String?) {
    caffe?.begin(net: net, policy: policy, resumedFrom: snapshot)
    json?.begin(net: net, policy: policy, resumedFrom: snapshot)
  }

  /// What weights that were loaded are like.
  func loaded(_ sparsity: [ParameterSparsity]) {
    caffe?.loaded(sparsity)
    json?.loaded(sparsity)
  }

  func end(_ end: Trainer.End) {
    caffe?.end(end)
    json?.end(end)
  }

  func observe(_ event: TrainingEvent) {
    if case .iteration(let report) = event, report.rate != nil { observe(debugValues()) }
    caffe?.observe(event)
    json?.observe(event)
    display?.observe(event)
  }

  private func observe(_ values: [DebugValue]) {
    guard !values.isEmpty else { return }
    caffe?.debug(values)
    json?.debug(values)
    display?.debug(values)
  }
}

extension DebugValue {
  /// The line that Caffe prints about it.
  var text: String {
    let (direction, what, kind) =
      switch kind {
      case .top(let blob): ("Forward", "top blob \(blob)", "data")
      case .parameter(let index): ("Forward", "param blob \(index)", "data")
      case .bottomGradient(let blob): ("Backward", "bottom blob \(blob)", "diff")
      case .parameterGradient(let index): ("Backward", "param blob \(index)", "diff")
      }
    return "[\(direction)] Layer \(layer), \(what) \(kind): \(String(format: "%g", Double(mean)))"
  }
}
