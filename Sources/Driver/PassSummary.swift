import IR
import Passes

/// What the passes made of a network, for reports and tables.
struct PassSummary: Sendable {
  /// The network as the file has it.
  var source: Manifest.Totals
  /// In the order in which they ran.
  var passes: [Manifest.Pass]
  /// Layers of the file that are gone, in its order.
  var removed: [Manifest.Removed]
  /// What was folded into layers that are left.
  var folded: [Manifest.Remark]
  /// Layers that a pass was meant for and could not change.
  var kept: [Manifest.Remark]
  /// Names of layers that live on in others, which tell so themselves.
  private var fused: Set<String> = []

  /// - Parameter graph: the network before the passes.
  init(_ graph: Graph, _ reports: [PassReport]) {
    source = Manifest.Totals(graph)
    passes = reports.map(Manifest.Pass.init)
    (removed, folded, kept) = ([], [], [])
    let places = Dictionary(
      graph.order.enumerated().map { (graph[$1].name, $0) }, uniquingKeysWith: { first, _ in first }
    )
    for report in reports {
      for finding in report.findings {
        switch finding.kind {
        case .removed:
          // What a pass had put in and another took away again never was in the file.
          guard places[finding.layer] != nil else { continue }
          removed.append(Manifest.Removed(finding, by: report.name, reason: finding.reason))
        case .fused(let into):
          guard places[finding.layer] != nil else { continue }
          removed.append(
            Manifest.Removed(
              finding, by: report.name, reason: "fused into \(into): \(finding.reason)"))
        case .changed: folded.append(Manifest.Remark(finding, by: report.name))
        case .kept: kept.append(Manifest.Remark(finding, by: report.name))
        }
      }
    }
    let sorted = removed.enumerated().sorted { a, b in
      (places[a.element.name] ?? 0, a.offset) < (places[b.element.name] ?? 0, b.offset)
    }
    removed = sorted.map(\.element)
  }

  init(_ manifest: Manifest) {
    source = manifest.source
    passes = manifest.passes
    removed = manifest.removed
    folded = manifest.folded
    kept = manifest.kept
    fused = Set(manifest.layers.flatMap(\.fused))
  }

  /// The layers that are gone and why, what the structure passes could not change and why, and how much
  /// every pass saved.
  var text: String {
    [removedTable, keptTable, passTable].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var removedTable: String {
    var table = TextTable(("removed", .left), ("type", .left), ("by", .left), ("reason", .left))
    for entry in removed where !fused.contains(entry.name) {
      table.add(entry.name, entry.type, entry.by, entry.reason)
    }
    return table.text
  }

  /// Layers that could not lose what is zero in them. A ReLU that nobody takes in is none of them.
  private var keptTable: String {
    let structure = Set(Pipeline.structure(vocabulary: .everything).passes.map(\.name))
    var table = TextTable(("kept", .left), ("type", .left), ("by", .left), ("reason", .left))
    for entry in kept where structure.contains(entry.by) {
      table.add(entry.name, entry.type, entry.by, entry.what)
    }
    return table.text
  }

  /// The passes that changed something, their sum, and its share of the network in the file.
  private var passTable: String {
    let active = passes.filter { $0.totals != Manifest.Totals() }
    guard !active.isEmpty else { return "" }
    var table = TextTable(
      ("saved by", .left), ("layers", .right), ("filters", .right), ("channels", .right),
      ("columns", .right), ("multiply-adds", .right), ("bytes", .right))
    func add(_ name: String, _ totals: Manifest.Totals) {
      table.add(
        name, "\(totals.layers)", "\(totals.filters)", "\(totals.channels)", "\(totals.columns)",
        Quantity.count(totals.multiplyAdds), Quantity.bytes(totals.bytes))
    }
    for pass in active { add(pass.name, pass.totals) }
    let sum = active.reduce(Manifest.Totals()) { $0 + $1.totals }
    add("together", sum)
    add("of all", source)
    table.add(
      "share", Quantity.percent(sum.layers, of: source.layers),
      Quantity.percent(sum.filters, of: source.filters),
      Quantity.percent(sum.channels, of: source.channels),
      Quantity.percent(sum.columns, of: source.columns),
      Quantity.percent(sum.multiplyAdds, of: source.multiplyAdds),
      Quantity.percent(sum.bytes, of: source.bytes))
    return table.text
  }
}

extension Manifest.Totals {
  /// What a network consists of. Filters, channels and columns are those of all weight matrices, one matrix
  /// for each group of a layer.
  init(_ graph: Graph) {
    layers = graph.order.count
    multiplyAdds = graph.multiplyAdds
    bytes = graph.parameterBytes
    for matrices in graph.order.compactMap({ WeightMatrices(graph[$0]) }) {
      filters += matrices.groups * matrices.filters
      channels += matrices.groups * matrices.channels
      columns += matrices.groups * matrices.columns
    }
  }

  static func + (a: Manifest.Totals, b: Manifest.Totals) -> Manifest.Totals {
    Manifest.Totals(
      layers: a.layers + b.layers, filters: a.filters + b.filters,
      channels: a.channels + b.channels, columns: a.columns + b.columns,
      multiplyAdds: a.multiplyAdds.addingSaturated(b.multiplyAdds),
      bytes: a.bytes.addingSaturated(b.bytes))
  }
}

extension Int {
  /// The sum, or the last number on its side.
  fileprivate func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? Int.max : Int.min) : sum
  }
}

extension Manifest.Pass {
  fileprivate init(_ report: PassReport) {
    self.init(
      name: report.name, filters: report.filters, channels: report.channels,
      columns: report.columns, layers: report.layers, multiplyAdds: report.multiplyAdds,
      bytes: report.bytes)
  }

  fileprivate var totals: Manifest.Totals {
    Manifest.Totals(
      layers: layers, filters: filters, channels: channels, columns: columns,
      multiplyAdds: multiplyAdds, bytes: bytes)
  }
}

extension Manifest.Removed {
  fileprivate init(_ finding: Finding, by pass: String, reason: String) {
    self.init(name: finding.layer, type: finding.type, by: pass, reason: reason)
  }
}

extension Manifest.Remark {
  fileprivate init(_ finding: Finding, by pass: String) {
    self.init(name: finding.layer, type: finding.type, by: pass, what: finding.reason)
  }
}
