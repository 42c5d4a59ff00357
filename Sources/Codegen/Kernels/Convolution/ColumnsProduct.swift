import IR

/// The matrix product that convolution_columns.h computes: which filters and columns, in which tiles.
struct ColumnsProduct {
  let columns: LiveColumns
  /// Of all items, as predicted.
  let cycles: Double
  private let tile: Tile

  /// Takes the tile that is predicted to be fastest: large ones cost less for each product, small ones leave
  /// out more zeros.
  init(
    _ geometry: ConvolutionGeometry, _ patterns: FilterPatterns, rowPitch: Int, _ target: Target
  ) {
    let vectors = target.vectors(geometry.positions(rowPitch: rowPitch))
    func product(_ tile: Tile) -> (tile: Tile, columns: LiveColumns, cycles: Double) {
      let columns = LiveColumns(patterns, tileOutputs: tile.outputs)
      let work = columns.blocks.reduce(0) { sum, block in
        let visits = Double(columns.lists[block.list].count)
        let tiles = Double((vectors + tile.vectors - 1) / tile.vectors)
        // Sums are set up and stored for every tile, often through a buffer.
        let around = tiles * 12 + Double(block.filters.count * vectors) * 1.7
        return sum + around
          + visits * tile.cycles(filters: block.filters.count, vectors, target)
      }
      // Filters without weights are filled.
      let all = work + Double(columns.deadFilters.count * vectors)
      return (tile, columns, Double(geometry.items) * all + 2000)
    }
    let filters = max(1, patterns.live.map(\.count).max() ?? 1)
    let options = Tile.options(target)
    var best = product(Tile(options[0], filters: filters, geometry, target))
    for option in options.dropFirst() {
      let other = product(Tile(option, filters: filters, geometry, target))
      if other.cycles < best.cycles { best = other }
    }
    (tile, columns, cycles) = best
  }

  func emit(_ node: NodeID, _ geometry: ConvolutionGeometry, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let longest = columns.lists.map(\.count).max() ?? 1
    let fields = [
      ".output = \(emitter.planes(output, count: geometry.layer.filters))",
      ".row_pitch = \(inputPitches.rowPitch), "
        + ".group_pitch = \(geometry.groupPitch(inputPitches))",
      ".blocks = \(columns.blocks.count), .block_sizes = \(blockSizes), "
        + ".columns_block = \(min(longest, max(geometry.layer.window.taps, 256)))",
      ".tile_outputs = \(tile.outputs), .tile_vectors = \(tile.vectors), .band = \(tile.band)",
      emitter.epilogue(node),
    ]
    let tables = append(source.parameters, geometry, inputPitches, to: &emitter.weights)
    let items = geometry.items
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(input, items: items, pitch: geometry.itemPitch(inputPitches))
      let y = emitter.pointer(
        output, items: items, pitch: geometry.layer.filters * outputPitches.planePitch)
      emitter.call("convolution_columns", fields: fields, arguments: [x] + tables + [y])
    }
  }

  /// Bit m is set if a block has m filters.
  private var blockSizes: String {
    let bits = columns.blocks.reduce(0) { $0 | 1 << $1.filters.count }
    return "0x" + String(bits, radix: 16)
  }

  /// Appends the tables of blocks, planes and offsets, weights and biases; returns their C expressions.
  private func append(
    _ parameters: [Tensor], _ geometry: ConvolutionGeometry, _ pitches: Pitches,
    to store: inout WeightStore
  ) -> [String] {
    let filters = columns.blocks.flatMap(\.filters) + columns.deadFilters
    let offsets = geometry.offsets(pitches)
    let listed = columns.lists.flatMap { list in list.map { offsets[$0] } }
    let weights = packed(parameters[0].values, geometry)
    return [
      store.append(words: blockTable, as: "struct columns_block"),
      store.append(counts: filters.map(UInt32.init)),
      store.append(offsets: listed),
      store.append(floats: weights),
      geometry.layer.hasBias
        ? store.append(floats: filters.map { parameters[1].values[$0] }) : "NULL",
    ]
  }

  /// `struct columns_block` for every block, and one for the table's end.
  private var blockTable: [UInt32] {
    var listStarts = [0]
    for list in columns.lists { listStarts.append((listStarts.last ?? 0) + list.count) }
    var result: [UInt32] = []
    var filters = 0
    var weights = 0
    for block in columns.blocks {
      let count = columns.lists[block.list].count
      result += [block.group, filters, count, listStarts[block.list], weights].map(UInt32.init)
      filters += block.filters.count
      weights += block.filters.count * count
    }
    return result + [0, filters, 0, 0, weights].map(UInt32.init)
  }

  /// Weights as [block][column][filter of the block].
  private func packed(_ weights: [Float], _ geometry: ConvolutionGeometry) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(columns.weightCount)
    for block in columns.blocks {
      for column in columns.lists[block.list] {
        for filter in block.filters { result.append(weights[filter * geometry.columns + column]) }
      }
    }
    return result
  }
}

/// The shape of the register tile, and how far a band of positions goes.
private struct Tile {
  var outputs: Int
  var vectors: Int
  var band: Int

  /// Outputs and vectors. Beside their products the inputs and a weight need registers: 3 x 4 of 16 or 7 x 4
  /// of 32 are one too many (3 x 4 takes twice the time of 3 x 3).
  static func options(_ target: Target) -> [(outputs: Int, vectors: Int)] {
    target.lanes == 16
      ? [(9, 3), (14, 2), (6, 4), (4, 4)] : [(4, 3), (6, 2), (3, 3), (2, 4)]
  }

  /// - Parameter filters: how many filters a group has at most.
  init(
    _ option: (outputs: Int, vectors: Int), filters: Int, _ geometry: ConvolutionGeometry,
    _ target: Target
  ) {
    outputs = min(option.outputs, filters)
    vectors = outputs < 3 ? 4 : option.vectors
    // Half of the second-level cache for the inputs of a band; 512 positions keep the first level busy.
    let tileFloats = vectors * target.lanes
    let floats = target.level2Bytes / 8 / max(geometry.channels, 1)
    band = max(4 * tileFloats, min(512, floats) / tileFloats * tileFloats)
  }

  /// Cycles for one column of a block of filters at all positions.
  func cycles(filters: Int, _ positions: Int, _ target: Target) -> Double {
    // Multiply-adds, or loads (every second vector lies across two cache lines), or waiting for the sum
    // before; and the loop around them.
    func tile(_ vectors: Int) -> Double {
      let work = Double(filters * vectors) / target.multiplyAddsPerCycle
      let loads = (Double(filters) + 1.5 * Double(vectors) + 1) / 2
      return max(work, loads, 4) + 1
    }
    let (full, rest) = positions.quotientAndRemainder(dividingBy: vectors)
    return Double(full) * tile(vectors) + (rest == 0 ? 0 : tile(rest))
  }
}
