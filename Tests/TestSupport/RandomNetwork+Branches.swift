import IR

extension RandomNetwork {
  /// relu(branch(x) + shortcut(x)); the shortcut is x, or a strided 1x1 convolution of it.
  mutating func appendResidual() throws {
    let input = current
    let stride = random.chance(0.3) ? 2 : 1
    let filters = stride == 2 || random.chance(0.3) ? random.integer(1...4) * 2 : shape(input)[1]
    var branch = try strided(input, filters: filters, kernel: 3, stride: stride)
    if random.chance(0.7) { branch = try normalization(on: branch) }
    if random.chance(0.7) {
      branch = try add(.elementwise(Elementwise(.relu(slope: 0))), to: [branch], inPlace: true)
    }
    branch = try strided(branch, filters: filters, kernel: random.pick([1, 3]), stride: 1)
    if random.chance(0.4) { branch = try normalization(on: branch) }
    var shortcut = input
    if shape(shortcut) != shape(branch) {
      shortcut = try strided(input, filters: filters, kernel: 1, stride: stride)
    }
    current = try eltwise(random.chance(0.5) ? [branch, shortcut] : [shortcut, branch])
    if random.chance(0.7) { current = try activation(on: current) }
  }

  /// A dense convolution that keeps the extent, up to its stride.
  mutating func strided(
    _ input: ValueID, filters: Int, kernel: Int, stride: Int
  ) throws -> ValueID {
    let channels = shape(input)[1]
    let window = Window(
      kernel: [kernel, kernel], stride: [stride, stride], pad: [kernel / 2, kernel / 2],
      dilation: [1, 1])
    let fanIn = channels * window.taps
    let hasBias = random.chance(0.6)
    let parameters =
      [try weights([filters, channels, kernel, kernel], fanIn: fanIn)]
      + (hasBias ? [vector(.vector(filters))] : [])
    return try add(
      .convolution(Convolution(filters: filters, window: window, hasBias: hasBias)), to: [input],
      parameters, growth: { $0 * Double(fanIn) * 2 + 2 })
  }

  /// Two to four branches of different depth, joined along the channels.
  mutating func appendInception() throws {
    let input = current
    var branches: [ValueID] = []
    for branch in 0..<random.integer(2...4) {
      let filters = random.integer(1...3)
      var value: ValueID
      switch branch {
      case 0: value = try strided(input, filters: filters, kernel: 1, stride: 1)
      case 1, 2:
        value = try strided(input, filters: filters, kernel: 1, stride: 1)
        value = try add(.elementwise(Elementwise(.relu(slope: 0))), to: [value], inPlace: true)
        value = try strided(value, filters: filters, kernel: branch * 2 + 1, stride: 1)
      default:
        value = try pooling(on: input, keepsExtent: true)
        value = try strided(value, filters: filters, kernel: 1, stride: 1)
      }
      if random.chance(0.7) {
        value = try add(.elementwise(Elementwise(.relu(slope: 0))), to: [value], inPlace: true)
      }
      branches.append(value)
    }
    current = try add(.concat(Concat(axis: random.pick([1, -3]))), to: branches)
  }

  /// Cuts the channels up, treats the parts differently, and joins them again; grouped layers are
  /// sometimes written like this.
  mutating func appendSlicing() throws {
    let channels = shape(current)[1]
    guard channels >= 2 else { return try append(.convolution) }
    let point = random.integer(1...channels - 1)
    let isEven = channels % 2 == 0 && random.chance(0.5)
    var parts = try addAll(
      .slice(Slice(axis: random.pick([1, -3]), points: isEven ? [] : [point], parts: 2)),
      to: [current])
    parts[0] = try strided(parts[0], filters: random.integer(1...4), kernel: 3, stride: 1)
    if random.chance(0.5) { parts[1] = try activation(on: parts[1]) }
    current = try add(.concat(Concat()), to: random.chance(0.5) ? parts : parts.reversed())
  }

  /// One value with several readers; some of what they make leaves the network there.
  mutating func appendFanOut() throws {
    if random.chance(0.5) {
      let copies = try addAll(.split(Split(copies: 2)), to: [current])
      let side = try activation(on: copies[1])
      current = copies[0]
      if random.chance(0.3) { _ = try addAll(.silence(Silence()), to: [side]) }
    } else {
      _ = try convolution(on: current)
      _ = try activation(on: current)
    }
    current = try strided(
      current, filters: random.integer(1...6), kernel: random.pick([1, 3]), stride: 1)
  }

  /// Channels weighted by what the whole image holds (squeeze and excitation).
  mutating func appendGating() throws {
    let input = current
    let channels = shape(input)[1]
    let pooling = Pooling(
      reduction: options.isExact ? .max : .average, window: Window(kernel: [1, 1]), isGlobal: true)
    var gate = try add(.pooling(pooling), to: [input])
    gate = try innerProduct(on: gate, outputs: channels)
    if !options.isExact {
      gate = try add(.elementwise(Elementwise(.sigmoid)), to: [gate], inPlace: true)
    } else {
      gate = try add(
        .elementwise(Elementwise(.clip(low: 0, high: 2))), to: [gate], inPlace: true,
        growth: { _ in 2 })
    }
    current = try add(.scale(Scale(axis: 0)), to: [input, gate], growth: { $0 * $0 })
  }

  /// Doubles the image, then cuts it back to the extent that it had.
  mutating func appendDeconvolution() throws {
    let input = current
    let channels = shape(input)[1]
    let groups = channels % 2 == 0 && random.chance(0.3) ? 2 : 1
    let filters = groups * random.integer(1...2)
    let window = Window(
      kernel: [4, 3], stride: [2, 2], pad: [1, random.integer(0...1)], dilation: [1, 1])
    let hasBias = random.chance(0.7)
    let fanIn = channels / groups * 4
    let parameters =
      [try weights([channels, filters / groups, 4, 3], fanIn: fanIn)]
      + (hasBias ? [vector(.vector(filters))] : [])
    let grown = try add(
      .deconvolution(
        Deconvolution(filters: filters, window: window, groups: groups, hasBias: hasBias)),
      to: [input], parameters, growth: { $0 * Double(fanIn * 3) * 2 + 2 })
    let offsets = [random.integer(0...shape(input)[2] / 2), random.integer(0...1)]
    guard shape(grown)[2] >= shape(input)[2] + offsets[0],
      shape(grown)[3] >= shape(input)[3] + offsets[1]
    else {
      current = grown
      return
    }
    current = try add(.crop(Crop(axis: 2, offsets: offsets)), to: [grown, input])
  }

  /// A convolution in two layers: Im2col, and 1x1 filters over the columns.
  mutating func appendPatches() throws {
    guard shape(current)[1] <= 4 else { return try append(.convolution) }
    let window = Window(
      kernel: [2, 3], stride: [random.integer(1...2), 1], pad: [1, 1], dilation: [1, 1])
    current = try add(.im2col(Im2col(window: window)), to: [current])
    current = try strided(current, filters: random.integer(1...4), kernel: 1, stride: 1)
  }

  /// A learned array that is no layer's own, added or multiplied to every item; or a Bias layer.
  mutating func appendConstant() throws {
    let channels = Shape.vector(shape(current)[1])
    if random.chance(0.3) {
      current = try add(
        .bias(Bias()), to: [current], [vector(channels)], inPlace: true, growth: { $0 + 2 })
      return
    }
    let array = try add(
      .parameter(ParameterBlob(shape: channels)), to: [], [vector(channels)], growth: { _ in 2 })
    if random.chance(0.5) {
      current = try add(.scale(Scale(axis: 1)), to: [current, array], growth: { $0 * 2 })
    } else {
      current = try add(.bias(Bias(axis: 1)), to: [current, array], growth: { $0 + 2 })
    }
  }

  /// A 3-D convolution over an image whose channels were made an axis, or a 1-D one over its rows.
  mutating func appendVolumes() throws {
    let input = shape(current)
    let isFlat = random.chance(0.5)
    let extents = isFlat ? [0, 0, -1] : [0, 1, input[1], input[2], input[3]]
    let reshaped = try add(.reshape(Reshape(extents: extents)), to: [current])
    let spatial = Array(shape(reshaped).extents[2...])
    let window = Window(
      kernel: spatial.map { min($0, 2) }, stride: spatial.map { _ in 1 },
      pad: spatial.map { _ in 0 }, dilation: spatial.map { _ in 1 })
    let channels = shape(reshaped)[1]
    let fanIn = channels * window.taps
    let convolved = try add(
      .convolution(Convolution(filters: 2, window: window, hasBias: false)), to: [reshaped],
      [try weights([2, channels] + window.kernel, fanIn: fanIn)],
      growth: { $0 * Double(fanIn) * 2 })
    let last = shape(convolved).axes - 1
    let image =
      isFlat ? [0, 0, 1, -1] : [0, -1, shape(convolved)[last - 1], shape(convolved)[last]]
    current = try add(.reshape(Reshape(extents: image)), to: [convolved])
  }
}
