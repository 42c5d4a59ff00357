import IR

/// What a layer becomes when its inputs and outputs have fewer channels.
struct ShrunkLayer {
  private(set) var operation: Operation
  private(set) var parameters: [Tensor]
  /// Whether inputs of which no channel stays are taken away from the layer.
  private(set) var dropsDeadInputs = false

  private let needs: ChannelNeeds
  private let node: Node
  /// For every input the channels that stay.
  private let inputs: [[Int]]
  /// For every output that stays its channels that stay.
  private let outputs: [[Int]]

  init(_ id: NodeID, _ needs: ChannelNeeds, keptInputs: [[Int]], keptOutputs: [[Int]])
    throws(ShapeError)
  {
    self.needs = needs
    node = needs.graph[id]
    operation = node.operation
    parameters = node.parameters
    inputs = keptInputs
    outputs = keptOutputs
    switch node.operation {
    case .convolution, .deconvolution, .innerProduct:
      if let layer = needs.weightedLayer(id) { shrinkWeights(layer) }
    case .slice(let layer): shrinkSlice(layer, needs.flow(of: id))
    case .concat: dropsDeadInputs = needs.flow(of: id) == .concatenated
    case .reshape(let layer): try shrinkReshape(layer, needs.graph.outputShapes(of: id)[0])
    case .lrn(let layer): shrinkLRN(layer)
    case .batchNorm:
      parameters = parameters.enumerated().map { index, parameter in
        index < 2 ? parameter.selecting(inputs[0], along: 0) : parameter
      }
    case .borderBias(let layer): shrinkBorderBias(layer)
    case .preLU, .scale, .bias:
      // One number for all channels stays as it is.
      parameters = parameters.map { parameter in
        parameter.shape.axes >= 1 && parameter.count > 1
          ? parameter.selecting(inputs[0], along: 0) : parameter
      }
    case .constant(var layer):
      layer.extents[0] = outputs[0].count
      operation = .constant(layer)
      parameters = [parameters[0].selecting(outputs[0], along: 0)]
    case .argMax, .batchReindex, .crop, .elementwise, .eltwise, .embed, .flatten,
      .identity, .im2col, .mvn, .parameter, .pooling,
      .reduction, .repack, .silence, .softmax, .spatialPyramidPooling, .split, .tile:
      break
    }
  }

  private mutating func shrinkWeights(_ layer: WeightedLayer) {
    let groups = (0..<layer.groups).filter { group in
      outputs[0].contains(where: layer.filters(of: group).contains)
    }
    let filters = outputs[0]
    // A filter that stays only for its place computes nothing.
    let isNeeded = filters.map { needs.isNeeded($0, of: node.outputs[0]) }
    let needed = Set(zip(filters, isNeeded).filter(\.1).map(\.0))
    var values: [Float] = []
    func append(_ filter: Int, _ channel: Int) {
      let first = layer.start(filter: filter, channel: channel)
      values +=
        needed.contains(filter)
        ? Array(layer.weights.values[first..<first + layer.taps])
        : [Float](repeating: 0, count: layer.taps)
    }
    func channels(readBy filter: Int) -> [Int] {
      inputs[0].filter(layer.channels(readBy: filter).contains)
    }
    var extents = layer.weights.shape.extents
    switch operation {
    case .convolution(var convolution):
      convolution.filters = filters.count
      convolution.groups = groups.count
      operation = .convolution(convolution)
      for filter in filters { for channel in channels(readBy: filter) { append(filter, channel) } }
      extents[0...1] = [filters.count, inputs[0].count / groups.count]
    case .deconvolution(var deconvolution):
      deconvolution.filters = filters.count
      deconvolution.groups = groups.count
      operation = .deconvolution(deconvolution)
      for channel in inputs[0] {
        let group = layer.filters(of: channel / layer.channelsPerGroup)
        for filter in filters where group.contains(filter) { append(filter, channel) }
      }
      extents[0...1] = [inputs[0].count, filters.count / groups.count]
    case .innerProduct(var product):
      product.outputs = filters.count
      operation = .innerProduct(product)
      let columns = inputs[0].count * layer.taps
      if product.isTransposed {
        for channel in inputs[0] {
          for tap in 0..<layer.taps {
            let row = layer.start(filter: 0, channel: channel) + tap * layer.tapStep
            values += filters.map { needed.contains($0) ? layer.weights.values[row + $0] : 0 }
          }
        }
        extents = [columns, filters.count]
      } else {
        for filter in filters { for channel in inputs[0] { append(filter, channel) } }
        extents = [filters.count, columns]
      }
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .crop,
      .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn, .parameter,
      .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice, .softmax,
      .spatialPyramidPooling, .split, .tile:
      preconditionFailure("only weighted layers have weights")
    }
    guard let shape = try? Shape(extents) else { preconditionFailure("smaller than it was") }
    parameters[0] = Tensor(shape: shape, values: values)
    if parameters.count > 1 {
      let bias = zip(filters, isNeeded).map { $1 ? parameters[1].values[$0] : 0 }
      parameters[1] = Tensor(shape: .vector(filters.count), values: bias)
    }
  }

  private mutating func shrinkSlice(_ layer: Slice, _ flow: ChannelFlow) {
    guard case .sliced = flow else { return }
    var points: [Int] = []
    for output in outputs.dropLast() { points.append((points.last ?? 0) + output.count) }
    operation = .slice(Slice(axis: layer.axis, points: points, parts: outputs.count))
  }

  private mutating func shrinkReshape(_ layer: Reshape, _ output: Shape) throws(ShapeError) {
    // All extents by number, but for the batch, which it copies.
    var extents = output.extents
    extents[0] = 0
    extents[1] = outputs[0].count
    operation = .reshape(Reshape(extents: extents))
  }

  /// Positions that only removed channels told apart join one class.
  private mutating func shrinkBorderBias(_ layer: BorderBias) {
    let perChannel = layer.counts.reduce(1, *)
    let rows = inputs[0].map { channel in
      Array(parameters[0].values[channel * perChannel..<(channel + 1) * perChannel])
    }
    let (positions, here) = PositionClasses(numbered: layer.classes).merged(where: rows)
    operation = .borderBias(BorderBias(classes: positions.axes, activation: layer.activation))
    guard let shape = try? Shape([rows.count] + positions.counts) else {
      preconditionFailure("smaller than it was")
    }
    parameters = [Tensor(shape: shape, values: rows.flatMap { row in here.map { row[$0] } })]
  }

  private mutating func shrinkLRN(_ layer: LRN) {
    let shape = needs.graph[node.inputs[0]].shape
    guard layer.region == .acrossChannels, inputs[0].count < shape[1] else { return }
    let positions = layer.positions ?? Array(0..<shape[1])
    let before = layer.positions == nil ? nil : parameters[0].values
    let squares = inputs[0].map { channel in
      needs.removedNeighbours(of: channel, reading: node.inputs[0], layer)
        .reduce(Double(before?[channel] ?? 0)) { sum, neighbour in
          let number = Double(needs.analysis[node.inputs[0]]?.uniform(neighbour) ?? 0)
          return sum + number * number
        }
    }
    var shrunk = layer
    shrunk.positions = inputs[0].map { positions[$0] }
    operation = .lrn(shrunk)
    parameters = [Tensor(shape: .vector(squares.count), values: squares.map(Float.init))]
  }
}
