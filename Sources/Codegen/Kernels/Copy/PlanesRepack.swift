import IR

/// Copies a value into another layout: repack and phase_split of planes.h.
struct PlanesRepack: Kernel {
  let name = "repack"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .repack = graph[node].operation else { return nil }
    let count = graph[graph[node].inputs[0]].shape.count
    return fits(
      cycles: Self.cycles(floats: count), target, inputs: [.planes(.none)], outputs: [.anyPlanes],
      reason: "the next layer reads another layout")
  }

  /// A float is loaded and stored, rows begin anywhere.
  static func cycles(floats: Int) -> Double { Double(floats) / 4 + 200 }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    emitter.headers.insert("planes.h")
    emitter.usesParts = true
    let from = emitter.planes(input)
    if case .phases(let split)? = emitter.lowered.layouts[output] {
      emitter.body.lines(
        """
        phase_split(
          (struct phases){
            .input = \(from),
            .stride_y = \(split.strideHeight), .stride_x = \(split.strideWidth),
            .pad_top = \(split.padHeight), .pad_left = \(split.padWidth),
            .phases_y = \(split.phasesHeight), .phases_x = \(split.phasesWidth),
            .height = \(split.rows), .width = \(split.columns),
            .row_pitch = \(split.columns), .phase_pitch = \(split.phasePitch),
          },
          \(emitter.pointer(input)), \(emitter.pointer(output)), part, parts);
        """)
    } else {
      emitter.body.lines(
        """
        repack(
          (struct planes)\(from), \(emitter.pointer(input)),
          (struct planes)\(emitter.planes(output)), \(emitter.pointer(output)), part, parts);
        """)
    }
  }
}
