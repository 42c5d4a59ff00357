import IR

/// Layers that pass values on: Identity and Split where they survive, Flatten, Reshape.
struct CopyKernel: Kernel {
  let name = "copy"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    let keepsShape: Bool
    switch graph[node].operation {
    case .identity, .split: keepsShape = true
    case .flatten, .reshape: keepsShape = false
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .convolution,
      .crop, .deconvolution, .elementwise, .eltwise, .embed, .im2col, .innerProduct, .lrn, .mvn,
      .parameter, .pooling, .preLU, .reduction, .repack, .scale, .silence, .slice, .softmax,
      .spatialPyramidPooling, .tile:
      return nil
    }
    let count = Double(graph[graph[node].inputs[0]].shape.count)
    return fits(
      cycles: count / 8 + 200, target, inputs: [keepsShape ? .planes(.none) : .dense],
      outputs: graph[node].outputs.map { _ in keepsShape ? .anyPlanes : .denseOnly })
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    for output in source.outputs { emitter.copy(source.inputs[0], to: output) }
  }
}

/// A layer without outputs, where it survives.
struct NoKernel: Kernel {
  let name = "nothing"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .silence = graph[node].operation else { return nil }
    return fits(
      cycles: 0, target, inputs: graph[node].inputs.map { _ in .planes(.none) }, outputs: [])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    emitter.body.line("(void)arena;")
  }
}

/// A learned array as a value: copied into the arena.
struct ParameterCopy: Kernel {
  let name = "parameter"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .parameter = graph[node].operation else { return nil }
    let count = Double(graph[graph[node].outputs[0]].shape.count)
    return fits(cycles: count / 8 + 200, target, inputs: [], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let values = emitter.weights.append(floats: source.parameters[0].values)
    BoxCopy(extents: [source.parameters[0].count], sourceStrides: [1], targetStrides: [1])
      .emit(from: values, to: emitter.pointer(source.outputs[0]), into: &emitter)
  }
}

/// Concat, Slice, Crop and Tile: boxes of one value become boxes of another.
struct BoxKernel: Kernel {
  let name = "box_copy"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    switch graph[node].operation {
    case .concat, .slice, .crop, .tile: break
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .constant, .convolution,
      .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct,
      .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence,
      .softmax, .spatialPyramidPooling, .split:
      return nil
    }
    let count = graph[node].outputs.reduce(0) { $0 + graph[$1].shape.count }
    let isImage = graph[node].inputs.allSatisfy { graph[$0].shape.axes == 4 }
    return fits(
      cycles: Double(count) / 8 + 200, target,
      inputs: graph[node].inputs.map { _ in isImage ? .planes(.none) : .dense },
      outputs: graph[node].outputs.map { _ in isImage ? .anyPlanes : .denseOnly })
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    switch emitter.graph[node].operation {
    case .concat(let layer): emitConcat(node, layer, into: &emitter)
    case .slice(let layer): emitSlice(node, layer, into: &emitter)
    case .crop(let layer): emitCrop(node, layer, into: &emitter)
    case .tile(let layer): emitTile(node, layer, into: &emitter)
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .constant, .convolution,
      .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct,
      .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence,
      .softmax, .spatialPyramidPooling, .split:
      preconditionFailure("the chooser gives this kernel layers that copy boxes only")
    }
  }

  private func emitConcat(_ node: NodeID, _ layer: Concat, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let output = source.outputs[0]
    let strides = emitter.strides(of: output)
    let axis = canonical(layer.axis, emitter.graph[output].shape)
    var index = 0
    for input in source.inputs {
      let shape = emitter.graph[input].shape
      let target = emitter.pointer(output, plus: index * strides[axis])
      // Those that the memory plan put into the output are there already.
      if target != emitter.pointer(input) {
        BoxCopy(
          extents: shape.extents, sourceStrides: emitter.strides(of: input), targetStrides: strides
        ).emit(from: emitter.pointer(input), to: target, into: &emitter)
      }
      index += shape[axis]
    }
    emitter.zeroHalo(of: output)
  }

  private func emitSlice(_ node: NodeID, _ layer: Slice, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let input = source.inputs[0]
    let strides = emitter.strides(of: input)
    let axis = canonical(layer.axis, emitter.graph[input].shape)
    var index = 0
    for output in source.outputs {
      let shape = emitter.graph[output].shape
      BoxCopy(
        extents: shape.extents, sourceStrides: strides, targetStrides: emitter.strides(of: output)
      ).emit(
        from: emitter.pointer(input, plus: index * strides[axis]), to: emitter.pointer(output),
        into: &emitter)
      emitter.zeroHalo(of: output)
      index += shape[axis]
    }
  }

  private func emitCrop(_ node: NodeID, _ layer: Crop, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let strides = emitter.strides(of: input)
    guard let origin = try? layer.origin(for: emitter.graph.inputShapes(of: node)) else {
      preconditionFailure("the verifier checked the offsets")
    }
    let start = zip(origin, strides).reduce(0) { $0 + $1.0 * $1.1 }
    BoxCopy(
      extents: emitter.graph[output].shape.extents, sourceStrides: strides,
      targetStrides: emitter.strides(of: output)
    ).emit(
      from: emitter.pointer(input, plus: start), to: emitter.pointer(output), into: &emitter)
    emitter.zeroHalo(of: output)
  }

  private func emitTile(_ node: NodeID, _ layer: Tile, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let shape = emitter.graph[input].shape
    let axis = canonical(layer.axis, shape)
    let (from, to) = (emitter.strides(of: input), emitter.strides(of: output))
    // The tiles become an axis of their own, along which the source stands still.
    var copy = BoxCopy(
      extents: shape.extents, sourceStrides: from, targetStrides: to)
    copy.extents.insert(layer.tiles, at: axis)
    copy.sourceStrides.insert(0, at: axis)
    copy.targetStrides.insert(shape[axis] * to[axis], at: axis)
    copy.emit(from: emitter.pointer(input), to: emitter.pointer(output), into: &emitter)
    emitter.zeroHalo(of: output)
  }

  private func canonical(_ axis: Int, _ shape: Shape) -> Int {
    guard let canonical = try? shape.canonicalAxis(axis) else {
      preconditionFailure("the verifier checked the axis")
    }
    return canonical
  }
}
