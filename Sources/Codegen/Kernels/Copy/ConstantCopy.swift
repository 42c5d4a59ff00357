import IR

/// What does not depend on the input: copied into the arena for every item, in any layout.
struct ConstantCopy: Kernel {
  let name = "constant"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .constant = graph[node].operation else { return nil }
    let shape = graph[graph[node].outputs[0]].shape
    // The input's values are not read.
    return fits(
      cycles: Double(shape.count) / 8 + 200, target, inputs: [.planes(.none)],
      outputs: [shape.axes == 4 ? .anyPlanes : .denseOnly],
      reason: "copied, since nothing has to be computed")
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let output = source.outputs[0]
    let shape = emitter.graph[output].shape
    let values = emitter.weights.append(floats: source.parameters[0].values)
    // All items take the same values.
    let strides = [0] + (1..<shape.axes).map { shape.count(from: $0 + 1) }
    BoxCopy(
      extents: shape.extents, sourceStrides: strides, targetStrides: emitter.strides(of: output)
    ).emit(from: values, to: emitter.pointer(output), into: &emitter)
    emitter.zeroHalo(of: output)
  }
}
