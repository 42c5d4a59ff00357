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
      inputs: [geometry.inputNeed], outputs: [.anyPlanes],
      reason: "\(percent(weights.density)) of the weights are not zero, and only they are visited")
    candidate.keepsRowPitch = true
    return candidate
  }

  func cycles(for node: NodeID, in graph: Graph, density: Double, target: Target) -> Double? {
    guard let geometry = ConvolutionGeometry(node, in: graph), geometry.obstacle == nil else {
      return nil
    }
    let weights = Double(graph[node].parameters[0].count)
    return cycles(geometry, nonzeros: Int(density * weights), target)
  }

  /// Per nonzero and vector one multiply-add with an unaligned operand, and a table entry per tile.
  private func cycles(_ geometry: ConvolutionGeometry, nonzeros: Int, _ target: Target) -> Double {
    let vectors = target.vectors(geometry.positions(rowPitch: geometry.expectedRowPitch))
    let tiles = (vectors + maximumVectors(target) - 1) / maximumVectors(target)
    let perVector = target.lanes == 16 ? 0.95 : 0.75
    let perTile = 2.0
    let stores = Double(geometry.layer.filters * vectors) * 4
    let work = Double(nonzeros) * (Double(vectors) * perVector + Double(tiles) * perTile)
    return (work + stores) * Double(geometry.items) + 1000
  }

  private func maximumVectors(_ target: Target) -> Int { target.lanes == 16 ? 24 : 12 }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let vectors = min(
      maximumVectors(emitter.target),
      emitter.target.vectors(geometry.positions(rowPitch: inputPitches.rowPitch)))
    let weights = source.parameters[0]
    let live = FilterPatterns(weights.values, geometry).live.reduce(0) { $0 + $1.count }
    let table = Table(
      weights.values, geometry, inputPitches,
      slabs: slabs(
        geometry, inputPitches, outputPitches, vectors,
        tapsOfRow: live == 0 ? 0 : weights.nonzeroCount / live, emitter.target))
    let taps = emitter.weights.append(taps: table.taps)
    let ends = emitter.weights.append(counts: table.rowEnds)
    let bias =
      geometry.layer.hasBias
      ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let items = geometry.items
    let fields = [
      ".output = \(emitter.planes(output, count: geometry.layer.filters))",
      ".row_pitch = \(inputPitches.rowPitch)",
      ".slabs = \(table.slabs), .vectors = \(vectors)"
        + (geometry.channels == 1 && geometry.layer.groups > 1 ? ", .rows_block = 4" : ""),
      emitter.rectifier(geometry.layer.activation),
    ]
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(input, items: items, pitch: geometry.itemPitch(inputPitches))
      let y = emitter.pointer(
        output, items: items, pitch: geometry.layer.filters * outputPitches.planePitch)
      emitter.call(name, fields: fields, arguments: [x, taps, ends, bias, y])
    }
  }

  /// How many slabs of input channels: so many that a slab's inputs stay in the first-level cache, but that
  /// a row with taps keeps a dozen in each (measured; see Benchmarks/Kernels).
  private func slabs(
    _ geometry: ConvolutionGeometry, _ input: Pitches, _ output: Pitches, _ vectors: Int,
    tapsOfRow: Int, _ target: Target
  ) -> Int {
    guard output.rowPitch >= input.rowPitch else { return 1 }
    let reach = (geometry.layer.window.span(0) - 1) * input.rowPitch
    let bytes = 4 * geometry.channels * (vectors * target.lanes + reach)
    let wanted = bytes / (target.level1Bytes / 2)
    return max(1, min(wanted, tapsOfRow / 12, geometry.channels))
  }
}

/// The nonzero weights by slab of input channels, then by filter.
private struct Table {
  var taps: [Tap] = []
  /// Behind the last tap of each filter of each slab.
  var rowEnds: [UInt32] = []
  var slabs: Int

  init(_ weights: [Float], _ geometry: ConvolutionGeometry, _ pitches: Pitches, slabs: Int) {
    let offsets = geometry.offsets(pitches)
    let perSlab = (geometry.channels + slabs - 1) / slabs * geometry.layer.window.taps
    self.slabs = (geometry.columns + perSlab - 1) / perSlab
    for slab in 0..<self.slabs {
      let range = slab * perSlab..<min((slab + 1) * perSlab, geometry.columns)
      for filter in 0..<geometry.layer.filters {
        let group = filter / geometry.filters * geometry.groupPitch(pitches)
        for column in range {
          let weight = weights[filter * geometry.columns + column]
          if weight != 0 {
            taps.append(Tap(offset: Int32(group) + offsets[column], value: weight))
          }
        }
        rowEnds.append(UInt32(taps.count))
      }
    }
  }
}
