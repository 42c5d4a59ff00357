import IR

/// Convolution of each channel by itself, all weights multiplied: convolution_depthwise.h.
struct DepthwiseConvolution: Kernel {
  let name = "convolution_depthwise"
  let multipliesAll = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = obstacle(geometry) { return declines(obstacle) }
    return fits(
      cycles: cycles(geometry, target), target, inputs: [.planes(halo(geometry))],
      outputs: [.anyPlanes],
      reason: "every filter reads one channel; rows once loaded serve several rows of the output"
        + (geometry.isStrided ? ", and the input needs no splitting into phases" : ""))
  }

  private func obstacle(_ geometry: ConvolutionGeometry) -> String? {
    if let obstacle = geometry.obstacle { return obstacle }
    if geometry.channels > 1 { return "a filter reads \(geometry.channels) channels, not one" }
    if geometry.layer.addsToInput { return "it adds to no other value" }
    let window = geometry.layer.window
    if window.kernel != [3, 3] && window.kernel != [5, 5] {
      return "its window is \(window.kernel[0]) x \(window.kernel[1]), not 3 x 3 or 5 x 5"
    }
    if window.stride != [1, 1] && window.stride != [2, 2] {
      return "its stride is \(window.stride[0]) x \(window.stride[1]), not 1 or 2 on both axes"
    }
    if window.dilation != [1, 1] { return "its window is dilated" }
    return nil
  }

  /// The zeros that windows reach around the image. They do not reach as far behind it as padding says where
  /// strides leave columns out.
  private func halo(_ geometry: ConvolutionGeometry) -> Halo {
    let window = geometry.layer.window
    func behind(_ axis: Int) -> Int {
      let last = (geometry.output[2 + axis] - 1) * window.stride[axis] - window.pad[axis]
      return max(0, last + window.span(axis) - geometry.input[2 + axis])
    }
    return Halo(top: window.pad[0], bottom: behind(0), gap: max(window.pad[1], behind(1)))
  }

  /// Cycles for all items. Fitted to MobileNet's layers and the same with 5x5 windows on AMD's third Zen
  /// generation: stride 2 has twice the loads, and parts even and odd columns.
  private func cycles(_ geometry: ConvolutionGeometry, _ target: Target) -> Double {
    let taps = Double(geometry.layer.window.taps)
    let vectors = Double(geometry.output[2] * target.vectors(geometry.output[3]))
    let perVector = geometry.isStrided ? 4 + taps * 0.9 : 1 + taps * 0.6
    let perPlane = 40 + 2 * taps
    let planes = Double(geometry.items * geometry.layer.filters)
    return planes * (perPlane + vectors * perVector) + 1000
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let (filters, window) = (geometry.layer.filters, geometry.layer.window)
    let fields = [
      ".output = \(emitter.planes(output, count: filters))",
      ".row_pitch = \(inputPitches.rowPitch), .plane_pitch = \(inputPitches.planePitch)",
      ".pad_y = \(window.pad[0]), .pad_x = \(window.pad[1])",
      ".kernel = \(window.kernel[0]), .stride = \(window.stride[0]), "
        + ".multiplier = \(geometry.filters)",
      emitter.rectifier(geometry.layer.activation),
    ]
    let store = [
      ".weights = \(emitter.weights.append(floats: source.parameters[0].values))",
      geometry.layer.hasBias
        ? ".bias = \(emitter.weights.append(floats: source.parameters[1].values))" : nil,
    ].compactMap(\.self)
    let items = geometry.items
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(
        input, items: items, pitch: geometry.input[1] * inputPitches.planePitch)
      let y = emitter.pointer(output, items: items, pitch: filters * outputPitches.planePitch)
      emitter.call(
        name, fields: fields, arrays: ("depthwise_arrays", [".x = \(x), .y = \(y)"] + store))
    }
  }
}
