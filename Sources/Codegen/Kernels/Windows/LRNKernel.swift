import IR

/// Local response normalisation: lrn.h.
struct LRNKernel: Kernel {
  let name = "lrn"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .lrn(let layer) = graph[node].operation else { return nil }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    if layer.region == .withinChannel, layer.size >= 512 {
      return declines("its window of \(layer.size) columns exceeds the kernel's buffer")
    }
    let reason =
      layer.positions == nil
      ? "the kernel for this type of layer"
      : "with windows from a table, since channels between the others are gone"
    return fits(
      cycles: count / Double(target.lanes) * Double(layer.size + 12) + 500, target,
      inputs: [.planes(.none)], outputs: [.anyPlanes], reason: reason)
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .lrn(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel LRN layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let shape = emitter.graph[input].shape
    let function: String
    var tables: [String] = []
    switch layer.region {
    case .withinChannel: function = "lrn_within"
    case .acrossChannels where layer.positions == nil: function = "lrn_across"
    case .acrossChannels:
      function = "lrn_windows"
      let table = windows(of: layer, emitter.graph[node].parameters[0].values)
      tables = [emitter.weights.append(words: table, as: "struct lrn_window")]
    }
    let (from, to) = (emitter.lowered.pitches(of: input), emitter.lowered.pitches(of: output))
    emitter.headers.insert("lrn.h")
    emitter.usesParts = true
    emitter.forEachItem(shape[0]) { emitter in
      let x = emitter.pointer(input, items: shape[0], pitch: shape[1] * from.planePitch)
      let y = emitter.pointer(output, items: shape[0], pitch: shape[1] * to.planePitch)
      emitter.body.lines(
        """
        \(function)(
          (struct lrn){
            .input = \(emitter.planes(input, count: shape[1])),
            .output = \(emitter.planes(output, count: shape[1])),
            .size = \(layer.size), .alpha = \(CText.literal(layer.alpha)),
            .beta = \(CText.literal(layer.beta)), .k = \(CText.literal(layer.k)),
          },
          \((tables + [x, y]).joined(separator: ", ")), part, parts);
        """)
    }
  }

  /// `struct lrn_window` for every channel.
  private func windows(of layer: LRN, _ removedSquares: [Float]) -> [UInt32] {
    zip(layer.windows(channels: removedSquares.count), removedSquares).flatMap { window, removed in
      [UInt32(window.lowerBound), UInt32(window.upperBound), removed.bitPattern]
    }
  }
}
