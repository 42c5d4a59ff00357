import IR

/// What all kernels for two-dimensional convolutions share: extents, taps and their offsets.
struct ConvolutionGeometry {
  let layer: Convolution
  let input: Shape
  let output: Shape

  /// nil if the node is no convolution.
  init?(_ id: NodeID, in graph: Graph) {
    guard case .convolution(let layer) = graph[id].operation else { return nil }
    self.layer = layer
    input = graph[graph[id].inputs[0]].shape
    output = graph[graph[id].outputs[0]].shape
  }

  /// Why kernels for images that multiply by kernels cannot do it; nil if they can.
  var obstacle: String? {
    layer.isInWinogradDomain ? "its weights are in the Winograd domain" : imageObstacle
  }

  /// Why no kernel for images can do it; nil if some can.
  var imageObstacle: String? {
    guard input.axes == 4, (try? input.canonicalAxis(layer.axis)) == 1 else {
      return "it is not a convolution over the last two of four axes"
    }
    return nil
  }

  var items: Int { input[0] }
  var channels: Int { input[1] / layer.groups }
  var filters: Int { layer.filters / layer.groups }
  var isStrided: Bool { layer.window.stride != [1, 1] }
  /// Whether every filter reads one channel of several.
  var isDepthwise: Bool { channels == 1 && layer.groups > 1 }

  /// Weights of one filter.
  var columns: Int { channels * layer.window.taps }

  /// The phase split that a strided window reads.
  var phaseSplit: PhaseSplit {
    PhaseSplit(for: layer.window, height: output[2], width: output[3])
  }

  /// What the kernels ask of the inputs; `first` is what they ask of the image.
  func inputNeeds(first: LayoutNeed? = nil) -> [LayoutNeed] {
    [first ?? inputNeed] + (layer.addsToInput ? [.sameAsOutput] : [])
  }

  /// Cycles for reading what the result is added to.
  func addendCycles(_ target: Target) -> Double {
    layer.addsToInput ? Double(output[0] * output[1] * target.vectors(output[2] * output[3])) : 0
  }

  /// What the kernels ask of the image.
  var inputNeed: LayoutNeed {
    if isStrided { return .phases(phaseSplit) }
    let window = layer.window
    // The window's last row reads below the image as far as padding reaches; the gap between rows
    // serves the left and the right border.
    return .planes(Halo(top: window.pad[0], bottom: window.pad[0], gap: window.pad[1]))
  }

  /// Floats of one item of the input from one group's channels to the next.
  func groupPitch(_ pitches: Pitches) -> Int {
    isStrided
      ? channels * phaseSplit.phasesHeight * phaseSplit.phasesWidth * pitches.planePitch
      : channels * pitches.planePitch
  }

  /// Floats from one item to the next.
  func itemPitch(_ pitches: Pitches) -> Int { groupPitch(pitches) * layer.groups }

  /// For one group's weight columns, in the weights' own order, the offset of the input that they meet at flat
  /// position 0.
  func offsets(_ pitches: Pitches) -> [Int32] {
    let window = layer.window
    var result: [Int32] = []
    result.reserveCapacity(columns)
    for channel in 0..<channels {
      for row in 0..<window.kernel[0] {
        for column in 0..<window.kernel[1] {
          let offset = offset(
            channel, row * window.dilation[0], column * window.dilation[1], pitches)
          result.append(Int32(offset))
        }
      }
    }
    return result
  }

  /// The offset for a tap that lies `row` rows and `column` columns from the window's corner.
  private func offset(_ channel: Int, _ row: Int, _ column: Int, _ pitches: Pitches) -> Int {
    let window = layer.window
    guard isStrided else {
      return channel * pitches.planePitch + (row - window.pad[0]) * pitches.rowPitch
        + column - window.pad[1]
    }
    let split = phaseSplit
    let phase =
      (channel * split.phasesHeight + row % split.strideHeight) * split.phasesWidth
      + column % split.strideWidth
    return phase * pitches.planePitch + row / split.strideHeight * pitches.rowPitch
      + column / split.strideWidth
  }

  /// Flat positions per output plane when the input's rows lie `rowPitch` apart.
  func positions(rowPitch: Int) -> Int { (output[2] - 1) * rowPitch + output[3] }

  /// The row pitch that the input will have at least, before layouts are settled.
  var expectedRowPitch: Int {
    isStrided ? phaseSplit.columns : input[3] + layer.window.pad[1]
  }
}

extension LayerEmitter {
  /// What is done to a convolution's sums, as fields of its kernel's structure.
  func epilogue(_ node: NodeID) -> String {
    guard case .convolution(let layer) = graph[node].operation else {
      preconditionFailure("the chooser gives these kernels convolutions only")
    }
    let fields = rectifier(layer.activation)
    guard layer.addsToInput else { return fields }
    precondition(
      position(of: graph[node].inputs[1]) == position(of: graph[node].outputs[0]),
      "the memory plan puts the output over what it is added to")
    return fields + ", .adds = true"
  }

  /// Writes what follows once per item of a batch that is fixed at `items`; within it, `item` counts.
  mutating func forEachItem(_ items: Int, _ body: (inout LayerEmitter) -> Void) {
    guard items > 1 else { return body(&self) }
    self.body.line("for (int item = 0; item < \(items); item++)")
    body(&self)
  }

  /// The address of a value, moved on by `pitch` floats per item of a fixed batch.
  func pointer(_ value: ValueID, items: Int, pitch: Int) -> String {
    items > 1 ? "\(pointer(value)) + item * (int64_t)\(pitch)" : pointer(value)
  }
}
