import IR

/// Convolution of 3x3 and 5x5 windows by Winograd's minimal filtering: convolution_winograd.h.
///
/// It multiplies all weights, zero or not, but each two to five times less often than a plain product does. Weights of
/// the Winograd domain it takes as they are; no other kernel can.
struct WinogradConvolution: Kernel {
  let name = "convolution_winograd"
  let multipliesAll = true

  /// Weights beyond are left to kernels that do not add them up: sums could overflow where the convolution's
  /// own do not.
  private static let largestWeight: Float = 1e18

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = obstacle(geometry) { return declines(obstacle) }
    guard let form = form(geometry, target) else {
      return declines(
        "a band \(geometry.output[3]) wide and of \(geometry.channels) channels is too large")
    }
    let isTransformed = geometry.layer.isInWinogradDomain
    guard
      isTransformed
        || graph[node].parameters[0].values.allSatisfy({ $0.magnitude <= Self.largestWeight })
    else {
      return declines("weights are enormous or no numbers")
    }
    let tile = form.window - form.layer.taps + 1
    let share = Double(form.window * form.window) / Double(tile * tile * geometry.layer.window.taps)
    return fits(
      cycles: form.cycles(target) * Double(geometry.items) + geometry.addendCycles(target), target,
      inputs: geometry.inputNeeds(first: form.coversExactly ? nil : .planes(.none)),
      outputs: [.anyPlanes],
      reason: "all weights are multiplied, in tiles of \(tile) x \(tile) with \(percent(share)) of "
        + "the multiplications")
  }

  private func obstacle(_ geometry: ConvolutionGeometry) -> String? {
    if let obstacle = geometry.imageObstacle { return obstacle }
    let window = geometry.layer.window
    if window.kernel != [3, 3] && window.kernel != [5, 5] {
      return "its window is \(window.kernel[0]) x \(window.kernel[1]), not 3 x 3 or 5 x 5"
    }
    if geometry.isStrided { return "its stride is not 1" }
    if window.dilation != [1, 1] { return "its window is dilated" }
    return nil
  }

  /// The form that is predicted to be fastest; nil if none is possible.
  private func form(_ geometry: ConvolutionGeometry, _ target: Target) -> WinogradForm? {
    let taps = geometry.layer.window.kernel[0]
    let layer = WinogradForm.Layer(
      groups: geometry.layer.groups, channels: geometry.channels, filters: geometry.filters,
      height: geometry.output[2], width: geometry.output[3], taps: taps,
      isTransformed: geometry.layer.isInWinogradDomain)
    return layer.windows.map { WinogradForm(layer, window: $0, target) }
      .filter(\.isPossible).min { $0.cycles(target) < $1.cycles(target) }
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph),
      let form = form(geometry, emitter.target)
    else { preconditionFailure("the chooser gives this kernel convolutions that it can do") }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let weights = emitter.weights.append(floats: form.packed(source.parameters[0].values))
    let bias =
      geometry.layer.hasBias
      ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let scratch = emitter.scratch(floats: form.scratchFloats)
    let window = geometry.layer.window
    let fields = [
      ".input = \(emitter.planes(input, count: geometry.input[1]))",
      ".output = \(emitter.planes(output, count: geometry.layer.filters))",
      ".groups = \(geometry.layer.groups), .pad_top = \(window.pad[0]), "
        + ".pad_left = \(window.pad[1])",
      ".window = \(form.window), .taps = \(form.layer.taps), .tile_rows = \(form.tileRows)",
      ".filters_block = \(form.filtersBlock), .channels_block = \(form.channelsBlock), "
        + ".scratch_floats = \(form.scratchFloats)"
        + (form.layer.isTransformed ? ", .is_transformed = true" : ""),
      emitter.epilogue(node),
    ]
    let items = geometry.items
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(input, items: items, pitch: geometry.itemPitch(inputPitches))
      let y = emitter.pointer(
        output, items: items, pitch: geometry.layer.filters * outputPitches.planePitch)
      emitter.call(name, fields: fields, arguments: [x, weights, bias, y, scratch])
    }
  }
}
