import IR

/// The matrix product that convolution_columns.h computes: which filters and columns, in which tiles.
struct ColumnsProduct {
  let columns: LiveColumns
  private let tile: Tile

  /// Without `weights` no column is left out.
  init(
    _ geometry: ConvolutionGeometry, _ live: [[Int]], _ weights: [Float]?, rowPitch: Int,
    _ target: Target
  ) {
    tile = Tile(geometry, filters: live.map(\.count), rowPitch: rowPitch, target)
    columns = LiveColumns(weights, geometry, live: live, tileOutputs: tile.outputs)
  }

  /// Multiply-adds at the rate of the machine, more where tiles are not full.
  func cycles(_ geometry: ConvolutionGeometry, _ target: Target) -> Double {
    let positions = geometry.positions(rowPitch: geometry.expectedRowPitch)
    let vectors = Double(target.vectors(positions))
    let visits = columns.blocks.reduce(0) { $0 + columns.lists[$1.list].count }
    // A column of a tile costs its multiply-adds, or its loads: one per input vector and one per output.
    let work = Double(tile.outputs * tile.vectors) / target.multiplyAddsPerCycle
    let loads = Double(tile.outputs + tile.vectors) / 2
    let perColumn = max(work, loads) * 1.15
    let product = Double(visits) * vectors / Double(tile.vectors) * perColumn
    let fills = Double(columns.deadFilters.count) * vectors
    return Double(geometry.items) * (product + fills) + 2000
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
      emitter.rectifier(geometry.layer.activation),
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

  /// - Parameter filters: how many filters each group multiplies.
  init(_ geometry: ConvolutionGeometry, filters: [Int], rowPitch: Int, _ target: Target) {
    let candidates = target.lanes == 16 ? [(14, 2), (9, 3), (7, 4)] : [(6, 2), (4, 3), (3, 4)]
    let positions = target.vectors(geometry.positions(rowPitch: rowPitch))
    func waste(_ tile: (Int, Int)) -> Double {
      let blocks = filters.reduce(0) { $0 + ($1 + tile.0 - 1) / tile.0 }
      let tiles = (positions + tile.1 - 1) / tile.1
      // Wide tiles load each weight less often; count their loads as well.
      let loads = 1 + 0.02 * Double(tile.0 + tile.1)
      return Double(blocks * tile.0 * tiles * tile.1) * loads
    }
    var best = candidates[0]
    for tile in candidates.dropFirst() where waste(tile) < waste(best) { best = tile }
    outputs = max(1, min(best.0, filters.max() ?? 1))
    vectors = best.1
    if outputs < 3 { vectors = 4 }
    // Half of the second-level cache for the inputs of a band; 512 positions keep the first level busy.
    let tileFloats = vectors * target.lanes
    let floats = target.level2Bytes / 8 / max(geometry.channels, 1)
    band = max(4 * tileFloats, min(512, floats) / tileFloats * tileFloats)
  }
}
