import IR

/// The largest elements along an axis: selection.h.
struct ArgMaxKernel: Kernel {
  let name = "argmax"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .argMax(let layer) = graph[node].operation else { return nil }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    return fits(
      cycles: count * Double(layer.top) * 2 + 200, target, inputs: [.dense],
      outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .argMax(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel ArgMax layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let shape = emitter.graph[input].shape
    let extents: (outer: Int, axis: Int, inner: Int)
    let what: String
    if let declared = layer.axis, let axis = try? shape.canonicalAxis(declared) {
      extents = (shape.count(upTo: axis), shape[axis], shape.count(from: axis + 1))
      what = layer.writesValues ? "VALUES" : "INDICES"
    } else {
      extents = (shape[0], shape.count(from: 1), 1)
      what = layer.writesValues ? "BOTH" : "INDICES"
    }
    emitter.call(
      name, header: "selection.h",
      fields: [
        ".outer = \(extents.outer), .axis = \(extents.axis), .inner = \(extents.inner)",
        ".top_k = \(layer.top), .output = ARGMAX_\(what)",
      ], arguments: [emitter.pointer(input), emitter.pointer(output)])
  }
}

/// Rows of a table by index, for Embed and BatchReindex: selection.h.
struct GatherKernel: Kernel {
  let name = "gather"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    switch graph[node].operation {
    case .embed, .batchReindex: break
    case .argMax, .batchNorm, .bias, .borderBias, .concat, .constant, .convolution, .crop,
      .deconvolution, .elementwise, .eltwise, .flatten, .identity, .im2col, .innerProduct, .lrn,
      .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      return nil
    }
    let count = Double(graph[graph[node].outputs[0]].shape.count)
    return fits(
      cycles: count / 4 + 200, target, inputs: graph[node].inputs.map { _ in .dense },
      outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let output = source.outputs[0]
    let fields: [String]
    let arguments: [String]
    if case .embed(let layer) = source.operation {
      let table = emitter.weights.append(floats: source.parameters[0].values)
      let bias =
        layer.hasBias ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
      fields = [
        ".count = \(emitter.graph[source.inputs[0]].shape.count)",
        ".rows = \(layer.rows), .width = \(layer.outputs)",
      ]
      arguments = [table, emitter.pointer(source.inputs[0]), bias]
    } else {
      let table = emitter.graph[source.inputs[0]].shape
      fields = [
        ".count = \(emitter.graph[source.inputs[1]].shape.count)",
        ".rows = \(table[0]), .width = \(table.count(from: 1))",
      ]
      arguments = [
        emitter.pointer(source.inputs[0]), emitter.pointer(source.inputs[1]), "NULL",
      ]
    }
    emitter.call(
      name, header: "selection.h", fields: fields,
      arguments: arguments + [emitter.pointer(output)])
  }
}
