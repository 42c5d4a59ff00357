import IR

/// Convolution as a matrix product over lists of columns, without im2col: convolution_columns.h.
///
/// Filters that are all zero are not multiplied, nor are columns that are zero in all filters of a block
/// (see `LiveColumns`).
struct ColumnsConvolution: Kernel {
  let name = "convolution_columns"
  let squeezes = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    let weights = graph[node].parameters[0]
    let product = ColumnsProduct(
      geometry, FilterPatterns(weights.values, geometry), rowPitch: geometry.expectedRowPitch,
      target)
    return fits(
      cycles: product.cycles + geometry.addendCycles(target), target, inputs: geometry.inputNeeds(),
      outputs: [.anyPlanes], reason: reason(weights, geometry, product.columns))
  }

  private func reason(_ weights: Tensor, _ geometry: ConvolutionGeometry, _ columns: LiveColumns)
    -> String
  {
    let filters = geometry.layer.filters
    let live = filters - columns.deadFilters.count
    let start = "\(percent(weights.density)) of the weights are not zero; "
    if columns.weightCount == weights.count { return start + "all are multiplied at full speed" }
    if live == 0 { return start + "every filter gives its bias" }
    let share = Double(columns.weightCount) / Double(live * geometry.columns)
    return start
      + (live < filters ? "\(live) of \(filters) filters and " : "")
      + "\(percent(share)) of the columns are multiplied at full speed"
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let weights = emitter.graph[node].parameters[0].values
    let pitch = emitter.lowered.pitches(of: emitter.graph[node].inputs[0]).rowPitch
    ColumnsProduct(
      geometry, FilterPatterns(weights, geometry), rowPitch: pitch, emitter.target
    ).emit(node, geometry, into: &emitter)
  }
}

/// Convolution that multiplies all weights, zero or not; what others are compared with.
struct DenseConvolution: Kernel {
  let name = "convolution_dense"
  let multipliesAll = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    let product = ColumnsProduct(
      geometry, FilterPatterns(nil, geometry), rowPitch: geometry.expectedRowPitch, target)
    return fits(
      cycles: product.cycles + geometry.addendCycles(target), target, inputs: geometry.inputNeeds(),
      outputs: [.anyPlanes], reason: "all weights are multiplied at full speed")
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let pitch = emitter.lowered.pitches(of: emitter.graph[node].inputs[0]).rowPitch
    ColumnsProduct(
      geometry, FilterPatterns(nil, geometry), rowPitch: pitch, emitter.target
    ).emit(node, geometry, into: &emitter)
  }
}

/// "12.5 %".
func percent(_ share: Double) -> String {
  let tenths = Int((share * 1000).rounded())
  return "\(tenths / 10).\(tenths % 10) %"
}
