import IR

/// Convolution as a matrix product over bands of inputs, all weights multiplied: convolution_packed.h.
struct PackedConvolution: Kernel {
  let name = "convolution_packed"
  let multipliesAll = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    return fits(
      cycles: PackedProduct(geometry, target).cycles(target) + geometry.addendCycles(target),
      target, inputs: geometry.inputNeeds(), outputs: [.anyPlanes],
      reason: "all weights are multiplied at full speed, in bands of inputs for all filters")
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let product = PackedProduct(geometry, emitter.target)
    let filters = geometry.layer.filters
    let (form, band) = product.band(
      inputPitch: inputPitches.rowPitch, outputPitch: outputPitches.rowPitch)
    let fields = [
      ".output = \(emitter.planes(output, count: filters))",
      ".row_pitch = \(inputPitches.rowPitch), .groups = \(geometry.layer.groups), "
        + ".group_pitch = \(geometry.groupPitch(inputPitches))",
      ".columns = \(geometry.columns), .columns_block = \(product.columnsBlock), "
        + ".form = \(form.rawValue), .band = \(band)",
      emitter.epilogue(node),
    ]
    let bias =
      geometry.layer.hasBias
      ? source.parameters[1].values : [Float](repeating: 0, count: filters)
    let store = [
      ".offsets = \(emitter.weights.append(offsets: geometry.offsets(inputPitches)))",
      ".weights = \(emitter.weights.append(floats: product.packed(source.parameters[0].values)))",
      ".bias = \(emitter.weights.append(floats: bias))",
    ]
    let items = geometry.items
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(input, items: items, pitch: geometry.itemPitch(inputPitches))
      let y = emitter.pointer(output, items: items, pitch: filters * outputPitches.planePitch)
      emitter.call(
        name, fields: fields, arrays: ("packed_arrays", [".x = \(x), .y = \(y)"] + store))
    }
  }
}

/// The matrix product that convolution_packed.h computes, in which tiles.
struct PackedProduct {
  /// Columns summed in one go.
  let columnsBlock: Int
  /// Filters of a tile: BLOCK_OUTPUTS of product.h.
  private let block: Int
  private let geometry: ConvolutionGeometry
  private let lanes: Int

  /// Vectors of positions of a whole tile: PRODUCT_VECTORS of product.h.
  private static let vectors = 4
  /// How many blocks a tile of 1, 2, 3 and 4 vectors has.
  private static let together = [4, 2, 1, 1]

  init(_ geometry: ConvolutionGeometry, _ target: Target) {
    self.geometry = geometry
    block = target.lanes == 16 ? 6 : 3
    lanes = target.lanes
    columnsBlock = min(geometry.columns, 128)
  }

  /// Where a band's inputs are read and its sums collected: band_form of convolution_packed.h.
  enum BandForm: String {
    case planes = "BAND_OF_PLANES"
    case row = "BAND_OF_ROW"
    case sums = "BAND_OF_SUMS"
    case inputs = "BAND_OF_INPUTS"
  }

  /// Positions of a band, for rows of the input and the output that lie so many floats apart. A panel has half the
  /// first-level cache's floats, and one tile at least. Where planes are read as they are, a band only says how often
  /// all sums are visited again, which should find them in the second-level cache.
  func band(inputPitch: Int, outputPitch: Int) -> (form: BandForm, positions: Int) {
    let tile = Self.vectors * lanes
    if inputPitch == outputPitch || geometry.output[2] == 1 {
      return (.planes, (geometry.columns > columnsBlock ? 256 : 512) / tile * tile)
    }
    if geometry.output[3] % lanes == 0 { return (.row, outputPitch) }
    if copyingSums(inputPitch: inputPitch) < copyingInputs { return (.sums, 224 / tile * tile) }
    return (.inputs, min(512, max(1, 4096 / columnsBlock / tile) * tile))
  }

  /// Cycles for all items. Fitted to layers of ResNet-50, GoogLeNet and MobileNet on AMD's third Zen generation.
  func cycles(_ target: Target) -> Double {
    let positions = geometry.output[2] * geometry.output[3]
    let columns = Double(geometry.columns)
    let chunks = Double((geometry.columns + columnsBlock - 1) / columnsBlock)
    let (whole, rest) = target.vectors(positions).quotientAndRemainder(dividingBy: Self.vectors)
    var result = Double(whole) * tileCycles(Self.vectors, columns, chunks, target)
    if rest > 0 { result += tileCycles(rest, columns, chunks, target) }
    // Rows that fill vectors are read in place, and those of an input without padding.
    let window = geometry.layer.window
    let reachesOver = window.kernel != [1, 1] || window.pad != [0, 0] || geometry.isStrided
    if reachesOver && geometry.output[3] % lanes != 0 {
      let pitch =
        geometry.isStrided ? geometry.phaseSplit.columns : geometry.output[3] + window.pad[1]
      result += min(copyingInputs, copyingSums(inputPitch: pitch))
    }
    return Double(geometry.items * geometry.layer.groups) * result + 2000
  }

  /// Cycles for copying a group's inputs without what lies between their rows.
  private var copyingInputs: Double {
    let (height, width) = (geometry.output[2], geometry.output[3])
    let copies = (height * width + lanes - 1) / lanes + height
    return Double(geometry.columns * copies) * 4
  }

  /// Cycles for positions between rows of a group's input that are computed in vain, and for storing sums row by row.
  private func copyingSums(inputPitch: Int) -> Double {
    let (height, width) = (geometry.output[2], geometry.output[3])
    let gaps = max(0, height * (inputPitch - width)) / lanes
    return Double(geometry.filters) * (Double(geometry.columns * gaps) / 2 + Double(height) * 12)
  }

  /// Cycles for all filters of a group in one tile of positions: as many as multiply-adds need, loads need, and sums that
  /// wait for each other need; and for the beginning and the end of each tile of registers.
  private func tileCycles(
    _ vectors: Int, _ columns: Double, _ chunks: Double, _ target: Target
  ) -> Double {
    func tiles(_ count: Int, _ filters: Int) -> Double {
      let work = Double(filters * vectors) / target.multiplyAddsPerCycle
      let loads = (Double(filters + vectors) + 1) / 2
      return Double(count) * (columns * max(work * 1.03, loads, 4) + chunks * 30)
    }
    let together = Self.together[vectors - 1]
    let blocks = geometry.filters / block
    return tiles(blocks / together, together * block) + tiles(blocks % together, block)
      + (geometry.filters % block == 0 ? 0 : tiles(1, geometry.filters % block))
  }

  /// Weights by group, then columns summed in one go, then block: [column][filter].
  func packed(_ weights: [Float]) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(weights.count)
    let filters = geometry.filters
    for group in 0..<geometry.layer.groups {
      for start in stride(from: 0, to: geometry.columns, by: columnsBlock) {
        let columns = start..<min(start + columnsBlock, geometry.columns)
        for first in stride(from: 0, to: filters, by: block) {
          let rows = group * filters + first..<group * filters + min(first + block, filters)
          for column in columns {
            for filter in rows { result.append(weights[filter * geometry.columns + column]) }
          }
        }
      }
    }
    return result
  }
}
