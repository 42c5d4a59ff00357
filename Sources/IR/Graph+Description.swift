extension Graph: CustomStringConvertible {
  /// The graph as text: one line per input, node and parameter, in order. Stable from run to run and complete
  /// enough to compare graphs by; weights appear as shape, share of nonzeros and hash.
  public var description: String {
    var lines = ["graph \(quoted(name)) \(batchText)"]
    for input in inputs { lines.append("  input \(text(of: input))") }
    for id in order { lines += describe(id) }
    for output in outputs { lines.append("  output \(text(of: output))") }
    return lines.joined(separator: "\n") + "\n"
  }

  private var batchText: String {
    switch batch {
    case .perItem: "per item"
    case .fixed(let reason): "fixed batch (\(reason))"
    }
  }

  private func describe(_ id: NodeID) -> [String] {
    let node = self[id]
    let layer = node.operation.layer
    let attributes = layer.attributes.map { " \($0.name)=\(word($0.value))" }.joined()
    let inputs = node.inputs.map { "%\($0.index)" }.joined(separator: ", ")
    let outputs = node.outputs.map { text(of: $0) }.joined(separator: ", ")
    let fused =
      node.fused.isEmpty
      ? "" : " fused=" + node.fused.map { quoted($0.name) }.joined(separator: ",")
    var lines = [
      "  \(quoted(node.name)) \(layer.typeName)(\(inputs))\(attributes)\(fused)"
        + (outputs.isEmpty ? "" : " -> \(outputs)")
    ]
    let slots = (try? layer.parameters(for: inputShapes(of: id))) ?? []
    for (slot, tensor) in zip(slots, node.parameters) {
      let hash = String(tensor.stableHash, radix: 16)
      lines.append(
        "    \(slot.name) \(tensor.shape) nonzero \(tensor.nonzeroCount)/\(tensor.count) hash \(hash)"
      )
    }
    return lines
  }

  private func text(of value: ValueID) -> String {
    "%\(value.index) \(quoted(self[value].name)) \(self[value].shape)"
  }

  private func quoted(_ name: String) -> String { "\"\(name)\"" }

  private func word(_ value: String) -> String { value.contains(" ") ? "\"\(value)\"" : value }
}
