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

extension PassReport {
  /// Adds what a later run of the same pass did.
  fileprivate mutating func add(_ other: PassReport) {
    // What a pass still can not do it says again each time; the rest it could do after all.
    findings.removeAll { $0.kind == .kept }
    findings += other.findings.filter { !findings.contains($0) }
    filters += other.filters
    channels += other.channels
    columns += other.columns
    layers += other.layers
    multiplyAdds += other.multiplyAdds
    bytes += other.bytes
  }
}

/// Runs passes in order, with the verifier between any two.
public struct PassManager {
  public var stages: [PassStage]
  /// Names of passes that are left out.
  public var disabled: Set<String>
  /// Called after every pass that ran, with its name.
  public var observer: (String, Graph) -> Void

  /// A repeated stage that still changes the graph after this many rounds is a bug.
  private static let mostRounds = 100

  public init(
    stages: [PassStage] = Pipeline.standard, disabled: Set<String> = [],
    observer: @escaping (String, Graph) -> Void = { _, _ in }
  ) {
    self.stages = stages
    self.disabled = disabled
    self.observer = observer
  }

  /// A manager of passes that run once each.
  public init(passes: [any Pass]) { self.init(stages: [PassStage(passes)]) }

  /// Rewrites a graph, and says what every pass did; a pass that ran several times has one report.
  public func run(_ graph: Graph) throws(PassError) -> (graph: Graph, reports: [PassReport]) {
    try verify(graph, after: "the front end")
    var current = graph
    var reports: [PassReport] = []
    for stage in stages {
      let first = reports.count
      for round in 0... {
        let before = current
        for (place, pass) in enabled(stage).enumerated() {
          let report = try run(pass, on: &current)
          if round == 0 { reports.append(report) } else { reports[first + place].add(report) }
        }
        if !stage.repeats || current == before { break }
        guard round < Self.mostRounds else {
          throw PassError("\(enabled(stage).map(\.name)) never come to an end")
        }
      }
    }
    return (current, reports)
  }

  private func enabled(_ stage: PassStage) -> [any Pass] {
    stage.passes.filter { !disabled.contains($0.name) }
  }

  private func run(_ pass: any Pass, on graph: inout Graph) throws(PassError) -> PassReport {
    let outcome = try pass.run(graph)
    try verify(outcome.graph, after: pass.name)
    let report = report(pass.name, before: graph, outcome: outcome)
    graph = outcome.graph
    observer(pass.name, graph)
    return report
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
      multiplyAdds: before.multiplyAdds - after.multiplyAdds + outcome.skippedMultiplyAdds,
      bytes: before.parameterBytes - after.parameterBytes + outcome.skippedBytes)
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
