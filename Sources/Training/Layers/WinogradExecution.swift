import COneDNN
import IR

/// A convolution whose weights are trained in the Winograd domain (SkimCaffe's layer type `Winograd`).
///
/// With inputs u = Bᵀ d B under every tile of 4x4 outputs, a tile is Aᵀ [sum over channels of v .* u] A, point by point a
/// matrix product over all tiles. Gradients take the same way back: dm = A dy Aᵀ, dv = dm uᵀ, du = vᵀ dm, dd = B du Bᵀ.
final class WinogradExecution: LayerExecution {
  private let context: LayerContext
  private let groups: Int
  private let channels: Int
  private let filters: Int
  /// Points of a tile.
  private let points: Int
  private let transforms: TileTransforms
  /// Tiles of inputs and of outputs, of one image.
  private let inputTiling: dnn_tiling
  private let outputTiling: dnn_tiling
  private let images: Int
  /// Images at a time.
  private let chunk: Int

  /// Numbers that the points of some images' inputs and outputs may take: 64 MB.
  private static let mostNumbers = 1 << 24

  init(_ layer: Convolution, _ context: LayerContext) throws(Diagnostic) {
    try context.requirePlain(layer.activation)
    if layer.addsToInput { throw context.untrainable }
    guard let transforms = TileTransforms(kernel: layer.window.kernel[0]) else {
      throw context.error("weights of the Winograd domain are of kernels of 3x3 or 5x5")
    }
    self.context = context
    self.transforms = transforms
    groups = layer.groups
    let (input, output) = (context.input.shape, context.output.shape)
    (images, channels, filters) = (input[0], input[1], layer.filters)
    points = transforms.points * transforms.points
    inputTiling = transforms.tiling(input, output, extent: transforms.points, pad: layer.window.pad)
    outputTiling = transforms.tiling(output, output, extent: WinogradDomain.tile, pad: [0, 0])
    let perImage =
      points * (channels + filters) * Int(inputTiling.tile_rows * inputTiling.tile_columns)
    chunk = min(images, max(1, Self.mostNumbers / perImage))
    reserveScratch()
  }

  /// Scratch memory, behind that of the input.
  private enum Slot: Int {
    case inputs = 1
    case outputs
    case weights
    case weightGradient

    func memory(_ engine: Engine) -> Floats { engine.scratch(slot: rawValue) }
  }

  private func reserveScratch() {
    let tiles = chunk * Int(inputTiling.tile_rows * inputTiling.tile_columns)
    let engine = context.engine
    engine.reserve(slot: Slot.inputs.rawValue, count: points * channels * tiles)
    engine.reserve(slot: Slot.outputs.rawValue, count: points * filters * tiles)
    engine.reserve(slot: Slot.weights.rawValue, count: weights.count)
    if weights.wantsGradient {
      engine.reserve(slot: Slot.weightGradient.rawValue, count: weights.count)
    }
  }

  func forward() {
    loadWeights()
    for chunk in Chunks(images, self.chunk) {
      gatherInputs(chunk)
      multiply(chunk, rows: filters, inner: channels, .inputs, into: .outputs) { .plain($0) }
      scatter(.outputs, outputTiling, transforms.outputs, chunk, to: context.output.values)
    }
    addBias()
  }

  func backward() {
    let wantsInput = context.input.wantsGradient
    let gradient = context.output.gradient
    if wantsInput {
      loadWeights()
      context.input.gradient.update(repeating: 0, count: context.input.count)
    }
    if weights.wantsGradient {
      Slot.weightGradient.memory(context.engine).update(repeating: 0, count: weights.count)
    }
    for chunk in Chunks(images, self.chunk) {
      gather(gradient, outputTiling, transforms.outputGradients, chunk, into: .outputs)
      if weights.wantsGradient {
        gatherInputs(chunk)
        addWeightGradient(chunk)
      }
      guard wantsInput else { continue }
      multiply(chunk, rows: channels, inner: filters, .outputs, into: .inputs) { .transposed($0) }
      scatter(.inputs, inputTiling, transforms.inputGradients, chunk, to: context.input.gradient)
    }
    if weights.wantsGradient { storeWeightGradient() }
    addBiasGradient(gradient)
  }

  // MARK: - Tiles

  private func gatherInputs(_ chunk: Range<Int>) {
    gather(context.input.values, inputTiling, transforms.inputs, chunk, into: .inputs)
  }

  private func gather(
    _ planes: Floats, _ tiling: dnn_tiling, _ matrix: [Float], _ chunk: Range<Int>,
    into slot: Slot
  ) {
    var tiling = tiling
    tiling.images = Int64(chunk.count)
    dnn_tiles_gather(
      Int32(context.engine.threads), &tiling, matrix,
      planes + chunk.lowerBound * Int(tiling.channels * tiling.rows * tiling.columns),
      slot.memory(context.engine))
  }

  /// Tiles of outputs are written, those of inputs overlap and are added.
  private func scatter(
    _ slot: Slot, _ tiling: dnn_tiling, _ matrix: [Float], _ chunk: Range<Int>, to planes: Floats
  ) {
    var tiling = tiling
    tiling.images = Int64(chunk.count)
    dnn_tiles_scatter(
      Int32(context.engine.threads), &tiling, matrix, slot.memory(context.engine),
      planes + chunk.lowerBound * Int(tiling.channels * tiling.rows * tiling.columns),
      tiling.extent > tiling.step)
  }

  // MARK: - Products

  /// Point by point and group by group, weights times a factor [inner x tiles] of a slot.
  private func multiply(
    _ chunk: Range<Int>, rows: Int, inner: Int, _ source: Slot, into result: Slot,
    _ factor: (Floats) -> Factor
  ) {
    let engine = context.engine
    let tiles = chunk.count * Int(inputTiling.tile_rows * inputTiling.tile_columns)
    let (from, to) = (source.memory(engine), result.memory(engine))
    let matrix = weights.count / points / groups
    for point in 0..<points {
      for group in 0..<groups {
        engine.product(
          rows: rows / groups, columns: tiles, inner: inner / groups,
          factor(Slot.weights.memory(engine) + (point * groups + group) * matrix),
          .plain(from + (point * groups + group) * (inner / groups) * tiles),
          into: to + (point * groups + group) * (rows / groups) * tiles)
      }
    }
  }

  private func addWeightGradient(_ chunk: Range<Int>) {
    let engine = context.engine
    let tiles = chunk.count * Int(inputTiling.tile_rows * inputTiling.tile_columns)
    let (inputs, outputs) = (Slot.inputs.memory(engine), Slot.outputs.memory(engine))
    let (ownFilters, ownChannels) = (filters / groups, channels / groups)
    for place in 0..<points * groups {
      engine.product(
        rows: ownFilters, columns: ownChannels, inner: tiles,
        .plain(outputs + place * ownFilters * tiles),
        .transposed(inputs + place * ownChannels * tiles),
        into: Slot.weightGradient.memory(engine) + place * ownFilters * ownChannels, beta: 1)
    }
  }

  /// From filter by filter to point by point.
  private func loadWeights() {
    let (values, pairs) = (weights.values, weights.count / points)
    let result = Slot.weights.memory(context.engine)
    context.engine.parallel(points, work: pairs) { range in
      for point in range {
        for pair in 0..<pairs { result[point * pairs + pair] = values[pair * points + point] }
      }
    }
  }

  private func storeWeightGradient() {
    let (gradient, pairs) = (weights.gradient, weights.count / points)
    let source = Slot.weightGradient.memory(context.engine)
    context.engine.parallel(pairs, work: points) { range in
      for pair in range {
        for point in 0..<points {
          gradient[pair * points + point] += source[point * pairs + pair]
        }
      }
    }
  }

  // MARK: - Bias

  private var weights: LayerParameter { context.parameters[0] }
  private var plane: Int { Int(outputTiling.rows * outputTiling.columns) }

  private func addBias() {
    guard context.parameters.count > 1 else { return }
    let (bias, output, plane) = (context.parameters[1].values, context.output.values, plane)
    context.engine.parallel(images * filters, work: plane) { range in
      for row in range {
        let value = bias[row % filters]
        for i in row * plane..<(row + 1) * plane { output[i] += value }
      }
    }
  }

  private func addBiasGradient(_ gradient: Floats) {
    guard context.parameters.count > 1, context.parameters[1].wantsGradient else { return }
    let (bias, plane) = (context.parameters[1].gradient, plane)
    for filter in 0..<filters {
      var sum: Float = 0
      for image in 0..<images {
        let start = (image * filters + filter) * plane
        var planeSum: Float = 0
        for i in start..<start + plane { planeSum += gradient[i] }
        sum += planeSum
      }
      bias[filter] += sum
    }
  }
}

/// The matrices that lead tiles to points and back, row-major.
private struct TileTransforms {
  /// Points along an axis.
  let points: Int
  /// Bᵀ: inputs to points.
  let inputs: [Float]
  /// B: their gradients back.
  let inputGradients: [Float]
  /// Aᵀ: points to outputs.
  let outputs: [Float]
  /// A: their gradients back.
  let outputGradients: [Float]

  init?(kernel: Int) {
    guard let b = WinogradDomain.inputTransform(kernel: kernel),
      let a = WinogradDomain.outputTransform(kernel: kernel)
    else { return nil }
    points = b.count
    inputGradients = b.joined().map(Float.init)
    inputs = WinogradDomain.turned(inputGradients, rows: b.count, columns: b.count)
    outputGradients = a.joined().map(Float.init)
    outputs = WinogradDomain.turned(outputGradients, rows: b.count, columns: WinogradDomain.tile)
  }

  /// The tiles of the planes of a blob.
  func tiling(_ blob: Shape, _ output: Shape, extent: Int, pad: [Int]) -> dnn_tiling {
    let tile = WinogradDomain.tile
    var result = dnn_tiling()
    result.images = 1
    result.channels = Int64(blob[1])
    result.rows = Int64(blob[2])
    result.columns = Int64(blob[3])
    result.tile_rows = Int64((output[2] + tile - 1) / tile)
    result.tile_columns = Int64((output[3] + tile - 1) / tile)
    result.step = Int64(tile)
    result.before = (Int64(pad[0]), Int64(pad[1]))
    result.extent = Int32(extent)
    result.points = Int32(points)
    return result
  }
}

/// Ranges of at most so many that cover `0..<count` in order.
private struct Chunks: Sequence, IteratorProtocol {
  private var start = 0
  private let count: Int
  private let most: Int

  init(_ count: Int, _ most: Int) {
    self.count = count
    self.most = most
  }

  mutating func next() -> Range<Int>? {
    guard start < count else { return nil }
    defer { start += most }
    return start..<Swift.min(start + most, count)
  }
}
