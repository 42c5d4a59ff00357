import IR

extension LoweredGraph {
  /// The graph's own text with what was chosen: under each input the layout of its value, under
  /// each node its kernel with the reason, and the layouts of its outputs.
  var text: String {
    var lines = graph.description.split(separator: "\n").map(String.init)[...]
    var result: [String] = []
    func take() { if let line = lines.popFirst() { result.append(line) } }
    take()
    for input in graph.inputs {
      take()
      result.append("    layout \(layoutText(input))")
    }
    for id in graph.order {
      take()
      if let choice = kernels[id] {
        result.append("    kernel \(choice.kernel) (\(choice.reason))")
      }
      for output in graph[id].outputs { result.append("    layout \(layoutText(output))") }
      for _ in graph[id].parameters { take() }
    }
    result += lines
    return result.joined(separator: "\n") + "\n"
  }

  private func layoutText(_ value: ValueID) -> String {
    "%\(value.index) \((layouts[value] ?? .dense).text), \(pitches(of: value).size) floats"
  }
}

extension Layout {
  fileprivate var text: String {
    switch self {
    case .dense: "dense"
    case .planes(let halo): "planes top=\(halo.top) bottom=\(halo.bottom) gap=\(halo.gap)"
    case .phases(let split):
      "phases stride=\(split.strideHeight)x\(split.strideWidth) "
        + "pad=\(split.padHeight)x\(split.padWidth) "
        + "phases=\(split.phasesHeight)x\(split.phasesWidth) rows=\(split.rows) "
        + "columns=\(split.columns)"
    }
  }
}
