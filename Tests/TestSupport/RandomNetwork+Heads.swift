import IR

extension RandomNetwork {
  /// How a network ends.
  public enum Head: Hashable, Sendable, CaseIterable {
    case none, innerProduct, perceptron, softmax, globalPooling, reduction, indices
    case joinedItems, gatheredItems, batchStatistics
  }

  /// Whether the head fits the options.
  func isAllowed(_ head: Head) -> Bool {
    switch head {
    case .none, .innerProduct, .perceptron, .reduction: true
    case .softmax, .globalPooling: !options.isExact
    case .indices: options.hasSteps
    case .joinedItems, .gatheredItems: options.mixesItems
    case .batchStatistics: options.mixesItems && !options.isExact
    }
  }

  mutating func append(_ head: Head) throws {
    switch head {
    case .none: break
    case .innerProduct: current = try innerProduct(on: current, outputs: random.integer(2...6))
    case .perceptron: try appendPerceptron()
    case .softmax:
      try appendPerceptron()
      current = try add(.softmax(Softmax()), to: [current])
    case .globalPooling:
      let layer = Pooling(reduction: .average, window: Window(kernel: [1, 1]), isGlobal: true)
      current = try add(.pooling(layer), to: [current])
      current = try add(.flatten(Flatten()), to: [current])
    case .reduction:
      let operations: [Reduction.Operation] = [.sum, .sumOfAbsolutes]
      let layer = Reduction(
        operation: random.pick(operations + (options.isExact ? [] : [.mean, .sumOfSquares])),
        axis: random.pick([1, 2, -1]), coefficient: 2)
      let count = Double(shape(current).count)
      current = try add(.reduction(layer), to: [current], growth: { $0 * count * 2 })
    case .indices: try appendIndices()
    case .joinedItems: try appendJoinedItems()
    case .gatheredItems: try appendGatheredItems()
    case .batchStatistics: try appendBatchStatistics()
    }
  }

  /// A fully connected layer over all of an item, of so many channels before it was flattened.
  mutating func innerProduct(on input: ValueID, outputs: Int, channels: Int? = nil) throws
    -> ValueID
  {
    let columns = shape(input).count(from: 1)
    let channels = channels ?? shape(input)[1]
    let isTransposed = random.chance(0.2)
    let hasBias = random.chance(0.8)
    let layer = InnerProduct(outputs: outputs, hasBias: hasBias, isTransposed: isTransposed)
    let matrix = try weights([outputs, channels, columns / channels], fanIn: columns)
      .reshaped(to: Shape([outputs, columns]))
    let parameters =
      [isTransposed ? try matrix.transposed() : matrix]
      + (hasBias ? [vector(.vector(outputs))] : [])
    return try add(
      .innerProduct(layer), to: [input], parameters, growth: { $0 * Double(columns) * 2 + 2 })
  }

  private mutating func appendPerceptron() throws {
    let channels = shape(current)[1]
    if random.chance(0.5) {
      let reshape = Operation.reshape(Reshape(extents: [0, -1]))
      current = try add(
        random.chance(0.7) ? .flatten(Flatten()) : reshape, to: [current])
    }
    current = try innerProduct(on: current, outputs: random.integer(4...8), channels: channels)
    if random.chance(0.7) {
      current = try add(.elementwise(Elementwise(.relu(slope: 0))), to: [current], inPlace: true)
    }
    if random.chance(0.3) {
      current = try add(.identity(Identity(of: "Dropout")), to: [current], inPlace: true)
    }
    current = try innerProduct(on: current, outputs: random.integer(2...5))
  }

  /// The best channels, and what an embedding knows about them.
  private mutating func appendIndices() throws {
    let channels = shape(current)[1]
    let layer =
      random.chance(0.5)
      ? ArgMax(top: random.integer(1...3), writesValues: true)
      : ArgMax(axis: 1, top: min(channels, 2))
    let best = try add(.argMax(layer), to: [current], growth: { max($0, 1024) })
    current = best
    guard layer.axis != nil else { return }
    let hasBias = random.chance(0.5)
    let outputs = random.integer(1...3)
    let parameters =
      [try weights([channels, outputs], fanIn: 1)] + (hasBias ? [vector(.vector(outputs))] : [])
    current = try add(
      .embed(Embed(outputs: outputs, rows: channels, hasBias: hasBias)), to: [best], parameters,
      growth: { _ in 4 })
  }

  private mutating func appendJoinedItems() throws {
    if random.chance(0.5) {
      let side = try activation(on: current)
      current = try add(.concat(Concat(axis: 0)), to: [current, side])
    } else {
      current = try add(.reshape(Reshape(extents: [1, -1])), to: [current])
      current = try innerProduct(on: current, outputs: 2)
    }
  }

  private mutating func appendGatheredItems() throws {
    let count = random.integer(1...4)
    let indices = (0..<count).map { _ in Float(random.integer(0...shape(current)[0] - 1)) }
    let list = try add(
      .parameter(ParameterBlob(shape: .vector(count))), to: [],
      [Tensor(shape: .vector(count), values: indices)])
    current = try add(.batchReindex(BatchReindex()), to: [current, list])
  }

  private mutating func appendBatchStatistics() throws {
    let channels = Shape.vector(shape(current)[1])
    let unused = Tensor(shape: channels, repeating: 0)
    // Caffe's usual epsilon would magnify the rounding errors of a constant channel.
    let layer = BatchNorm(epsilon: 0.25, usesStoredStatistics: false)
    current = try add(
      .batchNorm(layer), to: [current],
      [unused, unused, Tensor(shape: .vector(1), repeating: 0)], inPlace: true)
  }
}

extension Tensor {
  /// A matrix with its axes exchanged.
  fileprivate func transposed() throws -> Tensor {
    let (rows, columns) = (shape[0], shape[1])
    return Tensor(
      shape: try Shape([columns, rows]),
      values: (0..<count).map { values[$0 % rows * columns + $0 / rows] })
  }
}
