import IR

/// y = x * scale + bias with one pair per plane: scale_planes of scale.h.
///
/// BatchNorm with stored statistics, Scale and Bias, learned or from a second input.
struct ScalePlanes: Kernel {
  let name = "scale_planes"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let map = BroadcastMap(node, in: graph) else { return nil }
    let shape = graph[graph[node].inputs[0]].shape
    guard map.inner > 1 else { return declines("each factor belongs to a single element") }
    let hasPlanes = shape.axes == 4 && map.inner == shape[2] * shape[3]
    var needs: [LayoutNeed] = [hasPlanes ? .planes(.none) : .dense]
    if graph[node].inputs.count == 2 { needs.append(.dense) }
    return fits(
      cycles: Double(shape.count) / Double(target.lanes) * 2 + 200, target, inputs: needs,
      outputs: [hasPlanes ? .anyPlanes : .denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let map = BroadcastMap(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel broadcast layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let isFlat = emitter.isFlat([input, output])
    func planes(_ value: ValueID) -> String {
      isFlat
        ? emitter.densePlanes(planes: map.outer * map.middle, width: map.inner)
        : emitter.planes(value)
    }
    let fields = [
      ".input = \(planes(input))", ".output = \(planes(output))",
      ".factor_count = \(map.middle)",
    ]
    let (scale, bias) = map.arrays(node, &emitter)
    emitter.headers.insert("scale.h")
    emitter.usesParts = true
    emitter.body.line("scale_planes(")
    emitter.body.line("  (struct scale){")
    for field in fields { emitter.body.line("    \(field),") }
    emitter.body.line("  },")
    emitter.body.line(
      "  \(emitter.pointer(input)), \(scale), \(bias), \(emitter.pointer(output)), part, parts);")
  }
}

/// y = x * scale + bias with one pair per element of a row: scale_rows of scale.h.
struct ScaleRows: Kernel {
  let name = "scale_rows"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let map = BroadcastMap(node, in: graph) else { return nil }
    guard map.inner == 1 else { return declines("each factor belongs to \(map.inner) elements") }
    let count = Double(map.outer * map.middle)
    return fits(
      cycles: count + 200, target,
      inputs: graph[node].inputs.map { _ in .dense }, outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let map = BroadcastMap(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel broadcast layers only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let (scale, bias) = map.arrays(node, &emitter)
    emitter.headers.insert("scale.h")
    emitter.usesParts = true
    emitter.body.line("scale_rows(")
    emitter.body.line(
      "  \(map.outer), \(map.middle), \(emitter.pointer(input)), \(scale), \(bias),")
    emitter.body.line("  \(emitter.pointer(output)), part, parts);")
  }
}

/// A layer that multiplies by, or adds, an array that is broadcast: element i of the input meets element
/// (i / inner) % middle of the array.
private struct BroadcastMap {
  var outer: Int
  var middle: Int
  var inner: Int

  /// nil if the node is no such layer.
  init?(_ id: NodeID, in graph: Graph) {
    let shapes = graph.inputShapes(of: id)
    switch graph[id].operation {
    case .batchNorm(let layer):
      guard layer.usesStoredStatistics else { return nil }
      middle = BatchNorm.channels(of: shapes[0])
      outer = shapes[0].axes > 1 ? shapes[0][0] : 1
      inner = shapes[0].count / outer / middle
    case .scale(let layer):
      guard let extents = try? layer.extents(for: shapes) else { return nil }
      (outer, middle, inner) = (extents.outer, extents.middle, extents.inner)
    case .bias(let layer):
      guard let extents = try? layer.extents(for: shapes) else { return nil }
      (outer, middle, inner) = (extents.outer, extents.middle, extents.inner)
    case .argMax, .batchReindex, .borderBias, .concat, .constant, .convolution, .crop,
      .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct,
      .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      return nil
    }
  }

  /// C expressions for the addresses of scale and bias; NULL for what is not there.
  func arrays(_ id: NodeID, _ emitter: inout LayerEmitter) -> (scale: String, bias: String) {
    let node = emitter.graph[id]
    let second = node.inputs.count == 2 ? emitter.pointer(node.inputs[1]) : nil
    switch node.operation {
    case .batchNorm(let layer):
      let map = layer.scaleAndShift(node.parameters)
      return (
        emitter.weights.append(floats: map.scale.map(Float.init)),
        emitter.weights.append(floats: map.shift.map(Float.init))
      )
    case .scale(let layer):
      let scale = second ?? emitter.weights.append(floats: node.parameters[0].values)
      guard layer.hasBias, let bias = node.parameters.last else { return (scale, "NULL") }
      return (scale, emitter.weights.append(floats: bias.values))
    case .bias:
      return ("NULL", second ?? emitter.weights.append(floats: node.parameters[0].values))
    case .argMax, .batchReindex, .borderBias, .concat, .constant, .convolution, .crop,
      .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct,
      .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      preconditionFailure("`init` accepts broadcast layers only")
    }
  }
}
