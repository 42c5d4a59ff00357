import IR

extension RandomNetwork {
  /// A few layers that take an image [N, C, H, W] and leave one.
  public enum Block: Hashable, Sendable, CaseIterable {
    case convolution, normalization, activation, pooling, residual, inception, slicing, fanOut
    case responseNormalization, meanVariance, gating, deconvolution, tiling, patches, constants
    case softmax, volumes, pyramid
    case bottleneck, shuffle, separable, ceiling, weightedSum, unevenReaders, constantBranch
  }

  /// Whether the block fits the options. Exact networks have no roots and quotients.
  func isAllowed(_ block: Block) -> Bool {
    switch block {
    case .convolution, .normalization, .activation, .pooling, .residual, .inception, .slicing,
      .fanOut, .gating, .deconvolution, .tiling, .patches, .constants, .volumes, .pyramid,
      .bottleneck, .shuffle, .separable, .ceiling, .weightedSum, .unevenReaders, .constantBranch:
      true
    case .responseNormalization: !options.isExact || options.hasFractions
    case .meanVariance, .softmax: !options.isExact
    }
  }

  mutating func append(_ block: Block) throws {
    switch block {
    case .convolution:
      current = try convolution(on: current)
      if random.chance(0.3) { current = try normalization(on: current) }
      if random.chance(0.6) { current = try activation(on: current) }
    case .normalization: current = try normalization(on: current)
    case .activation: current = try activation(on: current)
    case .pooling: current = try pooling(on: current)
    case .residual: try appendResidual()
    case .inception: try appendInception()
    case .slicing: try appendSlicing()
    case .fanOut: try appendFanOut()
    case .responseNormalization: try appendResponseNormalization()
    case .meanVariance:
      // Caffe's usual epsilon would magnify the rounding errors of a constant channel.
      let layer = MVN(
        normalizesVariance: random.chance(0.7), acrossChannels: random.chance(0.5), epsilon: 0.25)
      current = try add(.mvn(layer), to: [current])
    case .gating: try appendGating()
    case .deconvolution: try appendDeconvolution()
    case .tiling:
      let channels = shape(current)[1]
      guard channels <= 8 else { return try append(.activation) }
      current = try add(.tile(Tile(axis: random.pick([1, -3]), tiles: 2)), to: [current])
    case .patches: try appendPatches()
    case .constants: try appendConstant()
    case .softmax:
      current = try add(.softmax(Softmax(axis: random.pick([1, 2, -1]))), to: [current])
    case .volumes: try appendVolumes()
    case .pyramid:
      // A side branch: its outputs are vectors. Many extents do not fit many heights.
      let layer = SpatialPyramidPooling(
        height: random.integer(2...3),
        reduction: options.isExact || random.chance(0.5) ? .max : .average)
      guard (try? layer.outputShapes(for: [shape(current)])) != nil else { return }
      _ = try add(.spatialPyramidPooling(layer), to: [current])
    case .bottleneck: try appendBottleneck()
    case .shuffle: try appendShuffle()
    case .separable: try appendSeparable()
    case .ceiling: try appendCeiling()
    case .weightedSum: try appendWeightedSum()
    case .unevenReaders: try appendUnevenReaders()
    case .constantBranch: try appendConstantBranch()
    }
  }

  // MARK: Single layers

  /// A convolution with any kernel, stride, padding, dilation and groups that fit.
  mutating func convolution(
    on input: ValueID, filters: Int? = nil, kernel: Int? = nil, stride: Int? = nil,
    keepsExtent: Bool = false
  ) throws -> ValueID {
    let shape = shape(input)
    let groups = shape[1] % 2 == 0 && random.chance(0.25) ? random.pick([2, shape[1]]) : 1
    let filters =
      filters.map { $0 - $0 % groups } ?? groups * random.integer(1...max(1, 8 / groups))
    var window = Window(kernel: [1, 1])
    for axis in 0..<2 {
      let extent = shape[2 + axis]
      window.kernel[axis] = kernel ?? random.pick([1, 1, 2, 3, 3, 3, 5])
      window.dilation[axis] = window.kernel[axis] > 1 && random.chance(0.15) ? 2 : 1
      window.stride[axis] = stride ?? random.pick([1, 1, 1, 2, 3])
      if keepsExtent {
        window.pad[axis] = window.span(axis) / 2
      } else {
        let needed = max(0, (window.span(axis) - extent + 1) / 2)
        window.pad[axis] = needed + random.integer(0...window.kernel[axis] / 2)
      }
    }
    let hasBias = random.chance(0.7)
    let fanIn = shape[1] / groups * window.taps
    let layer = Convolution(
      filters: filters, window: window, groups: groups, hasBias: hasBias,
      isInWinogradDomain: canBeTransformed(window) && random.chance(options.transforms))
    let extents = try layer.parameters(for: [shape])[0].shape.extents
    let parameters =
      [try weights(extents, fanIn: fanIn, groups: groups)]
      + (hasBias ? [vector(.vector(filters))] : [])
    return try add(
      .convolution(layer), to: [input], parameters, growth: { $0 * Double(fanIn) * 2 + 2 })
  }

  /// Networks that want none draw nothing, and stay what they were.
  private func canBeTransformed(_ window: Window) -> Bool {
    options.transforms > 0 && (window.kernel == [3, 3] || window.kernel == [5, 5])
      && window.stride == [1, 1] && window.dilation == [1, 1]
  }

  /// BatchNorm, Scale, or one behind the other, in place.
  mutating func normalization(on input: ValueID) throws -> ValueID {
    let channels = Shape.vector(shape(input)[1])
    var result = input
    if random.chance(0.8) {
      // An exact network has variance + epsilon = 1, or another power of 4.
      let factor: Float = options.isExact || random.chance(0.5) ? 1 : random.pick([2, 0.5])
      let variance =
        options.isExact ? exactVariance(channels) : positiveVector(channels)
      let layer = BatchNorm(epsilon: options.isExact ? 0.25 : 1e-5)
      let factorTensor = Tensor(shape: .vector(1), repeating: factor)
      result = try add(
        .batchNorm(layer), to: [result], [vector(channels), variance, factorTensor],
        inPlace: true, growth: { ($0 + 2) * 2 })
    }
    if result == input || random.chance(0.7) {
      let hasBias = random.chance(0.7)
      result = try add(
        .scale(Scale(hasBias: hasBias)), to: [result],
        [vector(channels, zeros: 0.1, wholly: 0.06)] + (hasBias ? [vector(channels)] : []),
        inPlace: true,
        growth: { $0 * 2 + 2 })
    }
    return result
  }

  /// ReLU most of the time, else another function or PReLU.
  mutating func activation(on input: ValueID) throws -> ValueID {
    if random.chance(0.1) {
      let isShared = random.chance(0.3)
      let slopes = vector(isShared ? .scalar : .vector(shape(input)[1]))
      return try add(
        .preLU(PReLU(isShared: isShared)), to: [input], [slopes], inPlace: true,
        growth: { $0 * 2 })
    }
    if random.chance(0.05) {
      return try add(.identity(Identity(of: "Dropout")), to: [input], inPlace: true)
    }
    if random.chance(0.5) {
      return try add(.elementwise(Elementwise(.relu(slope: 0))), to: [input], inPlace: true)
    }
    let exact: [ElementwiseFunction] = [
      .relu(slope: 2), .absoluteValue, .clip(low: -3, high: 6),
      .power(power: 1, scale: -1, shift: 2), .power(power: 0, scale: 1, shift: 3),
    ]
    let rounded: [ElementwiseFunction] = [
      .relu(slope: 0.1), .elu(alpha: 0.7), .sigmoid, .tanh, .softplus, .swish(beta: 1.5),
      .power(power: 2, scale: 0.5, shift: 0.1), .exponential(base: nil, scale: -0.1, shift: 0.2),
      .exponential(base: 2, scale: 0.1, shift: 0),
    ]
    let steps: [ElementwiseFunction] = options.hasSteps ? [.threshold(0)] : []
    let function = random.pick(exact + steps + (options.isExact ? [] : rounded))
    var result = input
    if !options.isExact, random.chance(0.1) {
      // The only argument that is always good for a logarithm.
      result = try add(.elementwise(Elementwise(.absoluteValue)), to: [result])
      let base: Float? = random.pick([nil, 10])
      let logarithm = ElementwiseFunction.logarithm(base: base, scale: 0.5, shift: 1)
      return try add(.elementwise(Elementwise(logarithm)), to: [result])
    }
    result = try add(
      .elementwise(Elementwise(function)), to: [result], inPlace: random.chance(0.7),
      growth: { $0 * 2 + 3 })
    return result
  }

  /// Pooling with any window that fits; positions of the maxima may be an output of their own.
  mutating func pooling(on input: ValueID, keepsExtent: Bool = false) throws -> ValueID {
    let reduction: Pooling.Reduction =
      options.isExact && (keepsExtent || !options.hasFractions) || random.chance(0.6)
      ? .max : .average
    // A mean of 2 or 4 numbers is exact, and windows of 2 are never cut to 3.
    let largest = options.isExact && reduction == .average ? 2 : 3
    var window = Window(kernel: [3, 3])
    for axis in 0..<2 {
      window.kernel[axis] = keepsExtent ? 3 : random.integer(2...largest)
      // Windows without an element, which strides beyond the kernel make, have tests of their own.
      window.stride[axis] = keepsExtent ? 1 : random.integer(1...window.kernel[axis])
      window.pad[axis] = keepsExtent || random.chance(0.4) ? 1 : 0
      if shape(input)[2 + axis] + 2 * window.pad[axis] < window.kernel[axis] {
        window.kernel[axis] = 1
        window.stride[axis] = 1
        window.pad[axis] = 0
      }
    }
    let positions = options.hasSteps && reduction == .max && random.chance(0.2)
    let layer = Pooling(
      reduction: reduction, window: window, rounding: random.chance(0.8) ? .up : .down,
      writesPositions: positions)
    return try add(.pooling(layer), to: [input])
  }

  /// Variances to which 0.25 is added: the sum is a power of 4.
  private mutating func exactVariance(_ channels: Shape) -> Tensor {
    guard options.hasFractions else { return Tensor(shape: channels, repeating: 0.75) }
    return Tensor(
      shape: channels, values: (0..<channels.count).map { _ in random.pick([0, 0.75, 0.75, 3.75]) })
  }

  mutating func eltwise(_ inputs: [ValueID]) throws -> ValueID {
    let coefficients = inputs.map { _ in
      random.chance(0.8) ? 1 : options.isExact ? Float(-1) : Float(-0.5)
    }
    let combination: Eltwise.Combination = random.pick([
      .sum(coefficients: coefficients), .sum(coefficients: coefficients), .maximum, .product,
    ])
    let count = Double(inputs.count)
    return try add(
      .eltwise(Eltwise(combination)), to: inputs,
      growth: { combination == .product ? $0 * $0 : $0 * count })
  }
}
