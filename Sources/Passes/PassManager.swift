import IR

/// The account of one pass.
public struct PassReport: Hashable, Sendable {
  public var name: String
  public var findings: [Finding]
  public var filters: Int
  public var channels: Int
  public var columns: Int
  /// Layers that are no longer there.
  public var layers: Int
  /// Multiply-adds of one item that are no longer needed.
  public var multiplyAdds: Int
  /// Bytes of parameters that are no longer needed.
  public var bytes: Int
}

/// Runs passes in order, with the verifier between any two.
public struct PassManager {
  public var passes: [any Pass]
  /// Names of passes that are left out.
  public var disabled: Set<String>
  /// Called after every pass that ran, with its name.
  public var observer: (String, Graph) -> Void

  public init(
    passes: [any Pass] = Pipeline.standard, disabled: Set<String> = [],
    observer: @escaping (String, Graph) -> Void = { _, _ in }
  ) {
    self.passes = passes
    self.disabled = disabled
    self.observer = observer
  }

  /// Rewrites a graph, and says what every pass did.
  public func run(_ graph: Graph) throws(PassError) -> (graph: Graph, reports: [PassReport]) {
    try verify(graph, after: "the front end")
    var current = graph
    var reports: [PassReport] = []
    for pass in passes where !disabled.contains(pass.name) {
      let outcome = try pass.run(current)
      try verify(outcome.graph, after: pass.name)
      reports.append(report(pass.name, before: current, outcome: outcome))
      current = outcome.graph
      observer(pass.name, current)
    }
    return (current, reports)
  }

  private func verify(_ graph: Graph, after stage: String) throws(PassError) {
    do {
      try graph.verify()
    } catch {
      throw PassError("after \(stage): \(error)")
    }
  }

  private func report(_ name: String, before: Graph, outcome: PassOutcome) -> PassReport {
    let after = outcome.graph
    return PassReport(
      name: name, findings: outcome.findings, filters: outcome.filters,
      channels: outcome.channels, columns: outcome.columns,
      layers: before.order.count - after.order.count,
      multiplyAdds: before.multiplyAdds - after.multiplyAdds,
      bytes: before.parameterBytes - after.parameterBytes)
  }
}

extension Graph {
  /// Multiply-adds of a dense evaluation of all layers on one item.
  public var multiplyAdds: Int {
    order.reduce(0) { sum, id in
      let layer = self[id].operation.layer
      let count = layer.multiplyAdds(inputs: inputShapes(of: id), outputs: outputShapes(of: id))
      let (total, overflow) = sum.addingReportingOverflow(count)
      return overflow ? Int.max : total
    }
  }

  /// Bytes of all parameters as float32.
  public var parameterBytes: Int {
    order.reduce(0) { $0 + self[$1].parameters.reduce(0) { $0 + 4 * $1.count } }
  }
}
