import IR

/// Blocks in which zero filters and constants have far to go.
extension RandomNetwork {
  private var relu: Operation { .elementwise(Elementwise(.relu(slope: 0))) }

  /// 1x1, 3x3, 1x1, each normalised, and a shortcut: x itself, or a normalised 1x1 convolution of it.
  mutating func appendBottleneck() throws {
    let input = current
    let stride = random.pick([1, 1, 2])
    let filters = stride == 2 || random.chance(0.4) ? random.integer(2...8) : shape(input)[1]
    let inner = random.integer(1...4)
    var branch = try strided(input, filters: inner, kernel: 1, stride: 1)
    branch = try normalization(on: branch)
    branch = try add(relu, to: [branch], inPlace: true)
    branch = try strided(branch, filters: inner, kernel: 3, stride: stride)
    branch = try normalization(on: branch)
    branch = try add(relu, to: [branch], inPlace: true)
    branch = try strided(branch, filters: filters, kernel: 1, stride: 1)
    branch = try normalization(on: branch)
    var shortcut = input
    if shape(shortcut) != shape(branch) {
      shortcut = try strided(input, filters: filters, kernel: 1, stride: stride)
      if random.chance(0.7) { shortcut = try normalization(on: shortcut) }
    }
    current = try add(
      .eltwise(Eltwise(.sum(coefficients: [1, 1]))),
      to: random.chance(0.5) ? [branch, shortcut] : [shortcut, branch], growth: { $0 * 2 })
    current = try add(relu, to: [current], inPlace: true)
  }

  /// Equal parts of the channels in another order, some of them rectified, one of them perhaps unread.
  mutating func appendShuffle() throws {
    let channels = shape(current)[1]
    guard let parts = [4, 3, 2].first(where: { channels % $0 == 0 && channels > $0 }) else {
      return try append(.convolution)
    }
    var cut = try addAll(.slice(Slice(axis: 1, parts: parts)), to: [current])
    cut.shuffle(using: &random)
    if parts > 2, random.chance(0.3) { _ = try addAll(.silence(Silence()), to: [cut.removeLast()]) }
    for part in cut.indices where random.chance(0.4) {
      cut[part] = try add(relu, to: [cut[part]])
    }
    current = try add(.concat(Concat(axis: 1)), to: cut)
    current = try convolution(on: current)
  }

  /// A filter per channel, then one over all channels of a position.
  mutating func appendSeparable() throws {
    let channels = shape(current)[1]
    let dilation = random.pick([1, 1, 2])
    let stride = random.pick([1, 2])
    let window = Window(
      kernel: [3, 3], stride: [stride, stride], pad: [dilation, dilation],
      dilation: [dilation, dilation])
    let hasBias = random.chance(0.5)
    let parameters =
      [try weights([channels, 1, 3, 3], fanIn: 9, groups: channels)]
      + (hasBias ? [vector(.vector(channels))] : [])
    let layer = Convolution(
      filters: channels, window: window, groups: channels, hasBias: hasBias)
    current = try add(
      .convolution(layer), to: [current], parameters, growth: { $0 * 18 + 2 })
    if random.chance(0.7) { current = try normalization(on: current) }
    current = try add(relu, to: [current], inPlace: true)
    current = try strided(current, filters: random.integer(2...8), kernel: 1, stride: 1)
  }

  /// Maxima with windows over the edge, beside it too: those are empty, and hold the lowest number until a
  /// ReLU hides it.
  mutating func appendCeiling() throws {
    let pad = random.pick([0, 0, 1])
    let window = Window(
      kernel: [2, 2], stride: [3, random.pick([2, 3])], pad: [pad, pad], dilation: [1, 1])
    let layer = Pooling(
      reduction: .max, window: window, rounding: .up, startsAtZero: random.chance(0.3))
    let isPossible = (try? layer.outputShapes(for: [shape(current)])) != nil
    guard isPossible else { return try append(.convolution) }
    if random.chance(0.6) { current = try convolution(on: current, kernel: 1, stride: 1) }
    current = try add(.pooling(layer), to: [current])
    current = try add(relu, to: [current], inPlace: true)
    if random.chance(0.6) { current = try convolution(on: current, kernel: 1, stride: 1) }
  }

  /// A sum of three with coefficients of all kinds, zero among them.
  mutating func appendWeightedSum() throws {
    let channels = shape(current)[1]
    let inputs = [
      current,
      try convolution(on: current, filters: channels, kernel: 3, stride: 1, keepsExtent: true),
      try strided(current, filters: channels, kernel: 1, stride: 1),
    ].shuffled(using: &random)
    guard Set(inputs.map { shape($0) }).count == 1 else {
      current = inputs[1]
      return
    }
    let coefficients = inputs.map { _ in random.pick([1, 1, -1, 2, 0] as [Float]) }
    current = try add(
      .eltwise(Eltwise(.sum(coefficients: coefficients))), to: inputs, growth: { $0 * 5 })
    if random.chance(0.5) { current = try activation(on: current) }
  }

  /// A padded convolution, which can do without a constant channel, and a reader that cannot; both go on, or
  /// the latter ends here.
  mutating func appendUnevenReaders() throws {
    let shared = try convolution(on: current)
    let able = try strided(shared, filters: shape(shared)[1], kernel: 3, stride: 1)
    var unable = try add(.elementwise(Elementwise(.absoluteValue)), to: [shared])
    if random.chance(0.5) { unable = try pooling(on: unable, keepsExtent: true) }
    current = able
    switch random.integer(0...2) {
    case 0: break
    case 1: current = try add(.concat(Concat()), to: [able, unable])
    default: current = try eltwise([able, unable])
    }
  }

  /// A branch that is constant everywhere, joined with one that is not.
  mutating func appendConstantBranch() throws {
    let kind = random.integer(0...2)
    let branch: ValueID
    if kind == 0 {
      let function = ElementwiseFunction.power(power: 1, scale: 0, shift: random.pick([0, 1, -2]))
      branch = try add(.elementwise(Elementwise(function)), to: [current], growth: { _ in 2 })
    } else {
      let channels = Shape.vector(shape(current)[1])
      let zero = Tensor(shape: channels, repeating: kind == 1 ? 0 : -0.0)
      branch = try add(
        .scale(Scale(hasBias: true)), to: [current], [zero, vector(channels)], growth: { _ in 2 })
    }
    switch random.integer(0...2) {
    case 0: current = try add(.concat(Concat()), to: [current, branch])
    default: current = try eltwise([branch, current])
    }
    if random.chance(0.5) { current = try convolution(on: current) }
  }

  /// Normalisation by neighbours. In an exact network the exponent is 1: the result is a polynomial.
  mutating func appendResponseNormalization() throws {
    let region: LRN.Region = random.chance(0.6) ? .acrossChannels : .withinChannel
    let (size, k) = (random.pick([3, 5]), random.pick([1, 2] as [Float]))
    guard options.isExact else {
      let layer = LRN(size: size, alpha: 0.5, k: k, region: region)
      current = try add(.lrn(layer), to: [current])
      return
    }
    let clip = Operation.elementwise(Elementwise(.clip(low: -2, high: 2)))
    current = try add(clip, to: [current], inPlace: true, growth: { _ in 2 })
    let area = region == .acrossChannels ? size : size * size
    let layer = LRN(size: size, alpha: Float(area), beta: -1, k: k, region: region)
    current = try add(.lrn(layer), to: [current], growth: { _ in 2 * (2 + 4 * Double(area)) })
  }
}
