import IR

/// Sum, product or maximum of several values: eltwise.h.
struct EltwiseKernel: Kernel {
  let name = "eltwise"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .eltwise = graph[node].operation else { return nil }
    return pointwiseCandidate(node, in: graph, target)
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .eltwise(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel Eltwise layers only")
    }
    let source = emitter.graph[node]
    let output = source.outputs[0]
    let isFlat = emitter.isFlat([output] + source.inputs)
    let operation: String
    var coefficients = [Float](repeating: 1, count: source.inputs.count)
    switch layer.combination {
    case .sum(let given):
      operation = "SUM"
      coefficients = given
    case .product: operation = "PRODUCT"
    case .maximum: operation = "MAXIMUM"
    }
    emitter.body.line("const struct eltwise_input inputs[] = {")
    for (input, coefficient) in zip(source.inputs, coefficients) {
      let pitches = emitter.lowered.pitches(of: input)
      let (row, plane) =
        isFlat
        ? (emitter.graph[input].shape.count, emitter.graph[input].shape.count)
        : (pitches.rowPitch, pitches.planePitch)
      emitter.body.line(
        "  {\(emitter.pointer(input)), \(row), \(plane), \(CText.literal(coefficient))},")
    }
    emitter.body.line("};")
    emitter.call(
      name,
      fields: [
        ".output = \(emitter.rows(output, isFlat: isFlat))",
        ".operation = ELTWISE_\(operation), .inputs = \(source.inputs.count)",
        emitter.rectifier(layer.activation),
      ], arguments: ["inputs", emitter.pointer(output)])
  }
}
