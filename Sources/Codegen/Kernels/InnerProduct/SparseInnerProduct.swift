import IR

/// Sparse matrix times vector by columns, without those that meet a zero input: inner_product_sparse.h.
struct SparseInnerProduct: Kernel {
  let name = "inner_product_sparse"
  let sharesWeights = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = InnerProductGeometry(node, in: graph) else { return nil }
    guard geometry.outputs <= ColumnBlocks.mostOutputs else {
      return declines("it has \(geometry.outputs) outputs, more than \(ColumnBlocks.mostOutputs)")
    }
    let weights = graph[node].parameters[0]
    let live = graph.liveShare(of: graph[node].inputs[0])
    return fits(
      cycles: cycles(geometry, weights.nonzeroCount, live: live), target, inputs: [.dense],
      outputs: [.denseOnly],
      reason: "\(percent(weights.density)) of the weights are not zero, and only those that meet a "
        + "nonzero input are visited")
  }

  func cycles(for node: NodeID, in graph: Graph, density: Double, target: Target) -> Double? {
    guard let geometry = InnerProductGeometry(node, in: graph) else { return nil }
    guard geometry.outputs <= ColumnBlocks.mostOutputs else { return nil }
    let weights = Double(graph[node].parameters[0].count)
    return cycles(
      geometry, Int(density * weights), live: graph.liveShare(of: graph[node].inputs[0]))
  }

  /// About 1.7 cycles per weight whose input is not zero, 1.9 if it comes from memory, and as much for the zeros
  /// that fill blocks; a column's own cost is listing it.
  private func cycles(_ geometry: InnerProductGeometry, _ nonzeros: Int, live: Double) -> Double {
    let perWeight = 6 * nonzeros > 8_000_000 ? 1.9 : 1.7
    let visited = Double(nonzeros) + ColumnBlocks.filling(of: geometry, nonzeros: nonzeros)
    let work = perWeight * live * visited + 1.5 * Double(geometry.inputs)
    return (work + Double(geometry.outputs)) * Double(geometry.rows) + 500
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = InnerProductGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel inner products only")
    }
    let source = emitter.graph[node]
    let matrix = ColumnBlocks(geometry.rowMajor(source.parameters[0].values), geometry)
    let ends = emitter.weights.append(counts: matrix.columnEnds)
    let blocks = emitter.weights.append(words: matrix.blocks, as: "struct column_block")
    let bias =
      geometry.layer.hasBias
      ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let fields = [
      ".outputs = \(geometry.outputs), .inputs = \(geometry.inputs)",
      emitter.items(geometry),
      ".segments = \(matrix.segments), .segment_outputs = \(matrix.segmentOutputs)",
      emitter.rectifier(geometry.layer.activation),
    ]
    let (x, y) = (emitter.pointer(source.inputs[0]), emitter.pointer(source.outputs[0]))
    emitter.call(name, fields: fields, arguments: [x, ends, blocks, bias, y])
  }
}
