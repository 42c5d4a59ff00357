import IR

/// Convolution that visits nonzero weights only, from a table: convolution_sparse.h.
struct SparseConvolution: Kernel {
  let name = "convolution_sparse"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    let weights = graph[node].parameters[0]
    var candidate = fits(
      cycles: cycles(geometry, nonzeros: weights.nonzeroCount, target), target,
      inputs: geometry.inputNeeds(), outputs: [.anyPlanes],
      reason: "\(percent(weights.density)) of the weights are not zero, and only they are visited")
    candidate.keepsRowPitch = !SparseForm(geometry, target).isPacked
    return candidate
  }

  func cycles(for node: NodeID, in graph: Graph, density: Double, target: Target) -> Double? {
    guard let geometry = ConvolutionGeometry(node, in: graph), geometry.obstacle == nil else {
      return nil
    }
    let weights = Double(graph[node].parameters[0].count)
    return cycles(geometry, nonzeros: Int(density * weights), target)
  }

  private func cycles(_ geometry: ConvolutionGeometry, nonzeros: Int, _ target: Target) -> Double {
    let form = SparseForm(geometry, target)
    return form.cycles(geometry, nonzeros: nonzeros, target) * Double(geometry.items) + 1000
      + geometry.addendCycles(target)
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let weights = source.parameters[0]
    var form = SparseForm(geometry, emitter.target)
    if !form.isPacked {
      let live = FilterPatterns(weights.values, geometry).live.reduce(0) { $0 + $1.count }
      form.fit(
        geometry, inputPitches, outputPitches,
        tapsOfRow: live == 0 ? 0 : weights.nonzeroCount / live, emitter.target)
    }
    let table = SparseTable(weights.values, geometry, inputPitches, form)
    let fields =
      [
        ".output = \(emitter.planes(output, count: geometry.layer.filters))",
        ".row_pitch = \(inputPitches.rowPitch)",
        ".slabs = \(table.slabs), .vectors = \(form.vectors), .groups = \(table.groupStarts.count - 1)"
          + (geometry.isDepthwise ? ", .rows_block = 4" : ""),
      ]
      + (form.isPacked
        ? [".columns = \(table.offsets.count), .slab_columns = \(table.slabColumns)"] : [])
      + [emitter.epilogue(node)]
    let store = [
      form.isPacked ? ".offsets = \(emitter.weights.append(offsets: table.offsets))" : nil,
      ".taps = \(emitter.weights.append(taps: table.taps))",
      ".rows = \(emitter.weights.append(words: table.rows, as: "struct sparse_row"))",
      ".group_starts = \(emitter.weights.append(counts: table.groupStarts))",
      geometry.layer.hasBias
        ? ".bias = \(emitter.weights.append(floats: source.parameters[1].values))" : nil,
    ].compactMap(\.self)
    let items = geometry.items
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(input, items: items, pitch: geometry.itemPitch(inputPitches))
      let y = emitter.pointer(
        output, items: items, pitch: geometry.layer.filters * outputPitches.planePitch)
      emitter.call(
        name, fields: fields, arrays: ("sparse_arrays", [".x = \(x), .y = \(y)"] + store))
    }
  }
}
