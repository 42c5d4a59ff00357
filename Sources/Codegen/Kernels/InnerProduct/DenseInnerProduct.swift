import IR

/// Dense matrix times vector: inner_product_dense.h.
struct DenseInnerProduct: Kernel {
  let name = "inner_product_dense"
  let multipliesAll = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = InnerProductGeometry(node, in: graph) else { return nil }
    // Weights that do not fit into caches come from memory, some 7 bytes a cycle.
    let bytes = Double(4 * geometry.inputs * geometry.outputs)
    let perByte = bytes > 16e6 ? 1 / 7.2 : 1 / 16.0
    return fits(
      // Each row ends in a sum over lanes.
      cycles: (bytes * perByte + 8 * Double(geometry.outputs)) * Double(geometry.rows) + 500,
      target, inputs: [.dense], outputs: [.denseOnly],
      reason: "\(percent(graph[node].parameters[0].density)) of the weights are not zero; "
        + "all are streamed")
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = InnerProductGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel inner products only")
    }
    let source = emitter.graph[node]
    let weights = emitter.weights.append(floats: geometry.rowMajor(source.parameters[0].values))
    let bias =
      geometry.layer.hasBias
      ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let fields = [
      ".outputs = \(geometry.outputs), .inputs = \(geometry.inputs)",
      emitter.rectifier(geometry.layer.activation),
    ]
    emitter.forEachItem(geometry.rows) { emitter in
      let x = emitter.pointer(source.inputs[0], items: geometry.rows, pitch: geometry.inputs)
      let y = emitter.pointer(source.outputs[0], items: geometry.rows, pitch: geometry.outputs)
      emitter.call(name, fields: fields, arguments: [x, weights, bias, y])
    }
  }
}

/// The extents of an inner product: `rows` vectors of `inputs` become `rows` vectors of `outputs`.
struct InnerProductGeometry {
  let layer: InnerProduct
  let rows: Int
  let inputs: Int
  let outputs: Int

  /// nil if the node is no inner product.
  init?(_ id: NodeID, in graph: Graph) {
    guard case .innerProduct(let layer) = graph[id].operation else { return nil }
    let input = graph[graph[id].inputs[0]].shape
    guard let axis = try? input.canonicalAxis(layer.axis) else { return nil }
    self.layer = layer
    rows = input.count(upTo: axis)
    inputs = input.count(from: axis)
    outputs = layer.outputs
  }

  /// Weights as [output][input], whatever the layer's own order.
  func rowMajor(_ weights: [Float]) -> [Float] {
    guard layer.isTransposed else { return weights }
    var result = [Float](repeating: 0, count: weights.count)
    for input in 0..<inputs {
      for output in 0..<outputs {
        result[output * inputs + input] = weights[input * outputs + output]
      }
    }
    return result
  }
}
