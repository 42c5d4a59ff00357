import IR

/// Normalised exponentials: softmax.h.
struct SoftmaxKernel: Kernel {
  let name = "softmax"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .softmax = graph[node].operation else { return nil }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    return fits(
      cycles: count * 3 + 200, target, inputs: [.dense], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .softmax(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel softmax layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let shape = emitter.graph[input].shape
    guard let axis = try? shape.canonicalAxis(layer.axis) else {
      preconditionFailure("the verifier checked the axis")
    }
    emitter.call(
      name,
      fields: [
        ".outer = \(shape.count(upTo: axis)), .axis = \(shape[axis])",
        ".inner = \(shape.count(from: axis + 1))",
      ], arguments: [emitter.pointer(input), emitter.pointer(output)])
  }
}
