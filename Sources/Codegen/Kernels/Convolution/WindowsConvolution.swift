import IR

/// Convolution over any number of axes, in plain loops: convolution_windows of windows.h.
struct WindowsConvolution: Kernel {
  let name = "convolution_windows"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .convolution(let layer) = graph[node].operation else { return nil }
    if layer.addsToInput { return declines("it adds to no other value") }
    if layer.isInWinogradDomain { return declines("its weights are in the Winograd domain") }
    if layer.activation != nil { return declines("it applies no activation") }
    if layer.window.axes == 0 { return declines("there are no axes to slide over") }
    let work = layer.multiplyAdds(
      inputs: graph.inputShapes(of: node), outputs: graph.outputShapes(of: node))
    let density = graph[node].parameters[0].density
    // Plain loops: about one multiply-add a cycle, and a thousandfold cost where rows are short.
    return fits(
      cycles: Double(work) * density * 2 + 2000, target, inputs: [.dense], outputs: [.denseOnly],
      reason: "plain loops, for any number of axes")
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .convolution(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let windowed = WindowedLayer(
      layer.window, axis: layer.axis, image: emitter.graph[input].shape,
      positions: emitter.graph[output].shape)
    windowed.emit(
      "convolution_windows", source, inputs: windowed.imageChannels, outputs: layer.filters,
      groups: layer.groups, hasBias: layer.hasBias, into: &emitter)
  }
}

/// Transposed convolution over any number of axes: deconvolution_windows of windows.h.
struct WindowsDeconvolution: Kernel {
  let name = "deconvolution_windows"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .deconvolution(let layer) = graph[node].operation else { return nil }
    if layer.window.axes == 0 { return declines("there are no axes to slide over") }
    let work = layer.multiplyAdds(
      inputs: graph.inputShapes(of: node), outputs: graph.outputShapes(of: node))
    let density = graph[node].parameters[0].density
    return fits(
      cycles: Double(work) * density * 2 + 2000, target, inputs: [.dense], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .deconvolution(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel deconvolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let windowed = WindowedLayer(
      layer.window, axis: layer.axis, image: emitter.graph[output].shape,
      positions: emitter.graph[input].shape)
    windowed.emit(
      "deconvolution_windows", source, inputs: windowed.positionChannels, outputs: layer.filters,
      groups: layer.groups, hasBias: layer.hasBias, into: &emitter)
  }
}

/// Patches as channels: im2col of windows.h.
struct Im2colKernel: Kernel {
  let name = "im2col"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .im2col(let layer) = graph[node].operation else { return nil }
    if layer.window.axes == 0 { return declines("there are no axes to slide over") }
    let count = Double(graph[graph[node].outputs[0]].shape.count)
    return fits(cycles: count * 2, target, inputs: [.dense], outputs: [.denseOnly])
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .im2col(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel Im2col layers only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let windowed = WindowedLayer(
      layer.window, axis: layer.axis, image: emitter.graph[input].shape,
      positions: emitter.graph[output].shape)
    emitter.headers.insert("windows.h")
    emitter.usesParts = true
    emitter.forEachItem(windowed.items) { emitter in
      let x = emitter.pointer(input, items: windowed.items, pitch: windowed.imageFloats)
      let y = emitter.pointer(output, items: windowed.items, pitch: windowed.positionFloats)
      emitter.body.lines(
        """
        im2col(
          (struct windows)\(windowed.literal), \(windowed.imageChannels), \(x), \(y),
          part, parts);
        """)
    }
  }
}

/// A sliding-window layer as windows.h sees it: an image, and the positions of the window.
private struct WindowedLayer {
  let window: Window
  /// Independent images.
  let items: Int
  let imageChannels: Int
  let positionChannels: Int
  let image: [Int]
  let positions: [Int]

  init(_ window: Window, axis: Int, image: Shape, positions: Shape) {
    guard let axis = try? image.canonicalAxis(axis) else {
      preconditionFailure("the verifier checked the axis")
    }
    self.window = window
    items = image.count(upTo: axis)
    imageChannels = image[axis]
    positionChannels = positions[axis]
    self.image = Array(image.extents[(axis + 1)...])
    self.positions = Array(positions.extents[(axis + 1)...])
  }

  var imageFloats: Int { image.reduce(imageChannels, *) }
  var positionFloats: Int { positions.reduce(positionChannels, *) }

  /// `struct windows` as a C initialiser.
  var literal: String {
    func list(_ numbers: [Int]) -> String {
      "{" + numbers.map(String.init).joined(separator: ", ") + "}"
    }
    return "{.axes = \(window.axes), .image = \(list(image)), .positions = \(list(positions)), "
      + ".kernel = \(list(window.kernel)), .stride = \(list(window.stride)), "
      + ".pad = \(list(window.pad)), .dilation = \(list(window.dilation))}"
  }

  func emit(
    _ function: String, _ source: Node, inputs: Int, outputs: Int, groups: Int, hasBias: Bool,
    into emitter: inout LayerEmitter
  ) {
    let weights = emitter.weights.append(floats: source.parameters[0].values)
    let bias = hasBias ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let isTransposed = function.hasPrefix("de")
    let (from, to) =
      isTransposed ? (positionFloats, imageFloats) : (imageFloats, positionFloats)
    emitter.headers.insert("windows.h")
    emitter.usesParts = true
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(source.inputs[0], items: items, pitch: from)
      let y = emitter.pointer(source.outputs[0], items: items, pitch: to)
      emitter.body.lines(
        """
        \(function)(
          (struct windowed_layer){
            .windows = \(literal),
            .inputs = \(inputs), .outputs = \(outputs), .groups = \(groups),
          },
          \(x), \(weights), \(bias), \(y), part, parts);
        """)
    }
  }
}
