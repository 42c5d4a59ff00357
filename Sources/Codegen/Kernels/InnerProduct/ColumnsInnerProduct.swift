import IR

/// Dense matrix times vectors by columns, without those that meet a zero input: inner_product_columns.h.
struct ColumnsInnerProduct: Kernel {
  let name = "inner_product_columns"
  let multipliesAll = true
  let sharesWeights = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = InnerProductGeometry(node, in: graph) else { return nil }
    let live = graph.liveShare(of: graph[node].inputs[0])
    // Long runs come from memory as fast as rows do; from caches each sum is loaded and stored for six columns.
    let bytes = Double(4 * geometry.inputs * geometry.outputs)
    let perByte = bytes > 16e6 ? 1 / 7.5 : 1 / 12.0
    let perColumn = 1.5 + 6 * live
    return fits(
      cycles: (bytes * perByte * live + perColumn * Double(geometry.inputs))
        * Double(geometry.rows) + 500,
      target, inputs: [.dense], outputs: [.denseOnly],
      reason: "\(percent(graph[node].parameters[0].density)) of the weights are not zero; "
        + (live < 1 ? "only columns that meet a nonzero input are read" : "all are streamed"))
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = InnerProductGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel inner products only")
    }
    let source = emitter.graph[node]
    let pitch = Self.pitch(geometry.outputs)
    // Vectors may be read beyond the last column.
    let weights = emitter.weights.append(floats: geometry.inputs * pitch + 16) { buffer in
      geometry.writeColumns(source.parameters[0].values, pitch: pitch, to: buffer)
    }
    let bias =
      geometry.layer.hasBias
      ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let fields = [
      ".outputs = \(geometry.outputs), .inputs = \(geometry.inputs), .pitch = \(pitch)",
      emitter.items(geometry),
      emitter.rectifier(geometry.layer.activation),
    ]
    let (x, y) = (emitter.pointer(source.inputs[0]), emitter.pointer(source.outputs[0]))
    emitter.call(name, fields: fields, arguments: [x, weights, bias, y])
  }

  /// Floats from one column to the next: an odd number of cache lines, so that columns spread over cache sets.
  private static func pitch(_ outputs: Int) -> Int { ((outputs + 15) / 16 | 1) * 16 }
}

extension InnerProductGeometry {
  /// Writes weights as [input][output], columns `pitch` floats apart; the buffer holds zeros.
  func writeColumns(_ weights: [Float], pitch: Int, to buffer: UnsafeMutableBufferPointer<Float>) {
    weights.withUnsafeBufferPointer { weights in
      guard !layer.isTransposed else {
        for input in 0..<inputs {
          for output in 0..<outputs {
            buffer[input * pitch + output] = weights[input * outputs + output]
          }
        }
        return
      }
      // Square blocks, so that both sides stay in the cache.
      let side = 32
      for firstInput in stride(from: 0, to: inputs, by: side) {
        for firstOutput in stride(from: 0, to: outputs, by: side) {
          for input in firstInput..<min(firstInput + side, inputs) {
            for output in firstOutput..<min(firstOutput + side, outputs) {
              buffer[input * pitch + output] = weights[output * inputs + input]
            }
          }
        }
      }
    }
  }
}

extension LayerEmitter {
  /// The vectors that an inner product multiplies, as fields of a C kernel structure: all items of a batch, or those of
  /// one value.
  mutating func items(_ geometry: InnerProductGeometry) -> String {
    guard let itemPitch, geometry.rows == 1 else {
      return ".items = \(geometry.rows), .x_pitch = \(geometry.inputs), "
        + ".y_pitch = \(geometry.outputs)"
    }
    takesItems = true
    return ".items = items, .x_pitch = \(itemPitch), .y_pitch = \(itemPitch)"
  }
}
