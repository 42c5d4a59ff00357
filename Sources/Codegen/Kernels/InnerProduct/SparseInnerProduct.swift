import IR

/// Sparse matrix times vector by columns, without those that meet a zero input: inner_product_sparse.h.
struct SparseInnerProduct: Kernel {
  let name = "inner_product_sparse"
  let sharesWeights = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = InnerProductGeometry(node, in: graph) else { return nil }
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
    let weights = Double(graph[node].parameters[0].count)
    return cycles(
      geometry, Int(density * weights), live: graph.liveShare(of: graph[node].inputs[0]))
  }

  /// About 1.8 cycles per weight whose input is not zero, 2.1 if it comes from memory; a column's own cost is
  /// listing it.
  private func cycles(_ geometry: InnerProductGeometry, _ nonzeros: Int, live: Double) -> Double {
    let perWeight = 6 * nonzeros > 8_000_000 ? 2.1 : 1.8
    let work = perWeight * live * Double(nonzeros) + 1.5 * Double(geometry.inputs)
    return (work + Double(geometry.outputs)) * Double(geometry.rows) + 500
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = InnerProductGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel inner products only")
    }
    let source = emitter.graph[node]
    let matrix = Columns(geometry.rowMajor(source.parameters[0].values), geometry)
    let ends = emitter.weights.append(counts: matrix.columnEnds)
    let rows = emitter.weights.append(indices: matrix.rows)
    let values = emitter.weights.append(floats: matrix.values)
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
    emitter.call(name, fields: fields, arguments: [x, ends, rows, values, bias, y])
  }
}

/// The nonzero weights by segment of outputs, then by column.
private struct Columns {
  var segments: Int
  var segmentOutputs: Int
  /// Behind the last entry of each column of each segment.
  var columnEnds: [UInt32] = []
  /// Output of each entry, counted from its segment's first.
  var rows: [UInt16] = []
  var values: [Float] = []

  init(_ weights: [Float], _ geometry: InnerProductGeometry) {
    let nonzeros = weights.count { $0 != 0 }
    // Parts own segments, and several items together take 1024 outputs at most; short columns are not worth
    // cutting. Row indices have 16 bits.
    let hasLongColumns = nonzeros / geometry.inputs >= 32
    let most = hasLongColumns ? 1024 : 65536
    let needed = (geometry.outputs + most - 1) / most
    let count = min(max(hasLongColumns ? 4 : 1, needed), geometry.outputs)
    segmentOutputs = (geometry.outputs + count - 1) / count
    segments = (geometry.outputs + segmentOutputs - 1) / segmentOutputs
    for segment in 0..<segments {
      let first = segment * segmentOutputs
      let outputs = first..<min(first + segmentOutputs, geometry.outputs)
      for column in 0..<geometry.inputs {
        for output in outputs {
          let weight = weights[output * geometry.inputs + column]
          if weight != 0 {
            rows.append(UInt16(output - first))
            values.append(weight)
          }
        }
        columnEnds.append(UInt32(values.count))
      }
    }
  }
}
