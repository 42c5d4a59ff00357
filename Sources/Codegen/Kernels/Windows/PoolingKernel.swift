import IR

/// Maximum, average and stochastic pooling: pooling.h.
struct PoolingKernel: Kernel {
  let name = "pooling"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .pooling(let layer) = graph[node].operation else { return nil }
    let input = graph[graph[node].inputs[0]].shape
    let window = layer.resolvedWindow(for: input)
    let output = graph[graph[node].outputs[0]].shape.count
    let work = Double(output * (window.kernel[0] + window.kernel[1])) / Double(target.lanes)
    return fits(
      cycles: work * 2 + 500, target, inputs: [.planes(.none)],
      outputs: graph[node].outputs.map { _ in .anyPlanes })
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .pooling(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel pooling layers only")
    }
    let source = emitter.graph[node]
    let input = source.inputs[0]
    let window = layer.resolvedWindow(for: emitter.graph[input].shape)
    let method: String
    switch layer.reduction {
    case .max: method = "MAXIMUM"
    case .average: method = "AVERAGE"
    case .stochastic: method = "STOCHASTIC"
    }
    for (function, output) in zip(["pooling", "pooling_mask"], source.outputs) {
      emitter.headers.insert("pooling.h")
      emitter.usesParts = true
      emitter.body.lines(
        """
        \(function)(
          (struct pooling){
            .input = \(emitter.planes(input)),
            .output = \(emitter.planes(output)),
            .kernel_y = \(window.kernel[0]), .kernel_x = \(window.kernel[1]),
            .stride_y = \(window.stride[0]), .stride_x = \(window.stride[1]),
            .pad_y = \(window.pad[0]), .pad_x = \(window.pad[1]),
            .method = POOLING_\(method), .start = \(layer.startsAtZero ? "0" : "-FLT_MAX"),
          },
          \(emitter.pointer(input)), \(emitter.pointer(output)), part, parts);
        """)
    }
  }
}
