import IR

/// Dense convolution as a matrix product over a list of columns, without im2col: convolution_columns.h.
struct ColumnsConvolution: Kernel {
  let name = "convolution_columns"

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    let density = graph[node].parameters[0].density
    return fits(
      cycles: cycles(geometry, target), target, inputs: [geometry.inputNeed],
      outputs: [.anyPlanes],
      reason: "\(percent(density)) of the weights are not zero; all are multiplied at full speed")
  }

  /// Multiply-adds at the rate of the machine, more where tiles are not full.
  private func cycles(_ geometry: ConvolutionGeometry, _ target: Target) -> Double {
    let tile = Tile(geometry, rowPitch: geometry.expectedRowPitch, target)
    let positions = geometry.positions(rowPitch: geometry.expectedRowPitch)
    let vectors = Double(target.vectors(positions))
    let blocks = Double((geometry.filters + tile.outputs - 1) / tile.outputs)
    let columns = Double(geometry.columns * geometry.layer.groups * geometry.items)
    // A column of a tile costs its multiply-adds, or its loads: one per input vector and one per output.
    let work = Double(tile.outputs * tile.vectors) / target.multiplyAddsPerCycle
    let loads = Double(tile.outputs + tile.vectors) / 2
    let perColumn = max(work, loads) * 1.15
    return columns * blocks * vectors / Double(tile.vectors) * perColumn + 2000
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let inputPitches = emitter.lowered.pitches(of: input)
    let outputPitches = emitter.lowered.pitches(of: output)
    let tile = Tile(geometry, rowPitch: inputPitches.rowPitch, emitter.target)
    let columnsBlock = min(geometry.columns, max(geometry.layer.window.taps, 256))
    let weights = emitter.weights.append(
      floats: packed(source.parameters[0].values, geometry, tileOutputs: tile.outputs))
    let offsets = emitter.weights.append(offsets: geometry.offsets(inputPitches))
    let bias =
      geometry.layer.hasBias
      ? emitter.weights.append(floats: source.parameters[1].values) : "NULL"
    let items = geometry.items
    let fields = [
      ".output = \(emitter.planes(output, count: geometry.layer.filters))",
      ".row_pitch = \(inputPitches.rowPitch)",
      ".groups = \(geometry.layer.groups), .group_pitch = \(geometry.groupPitch(inputPitches))",
      ".columns = \(geometry.columns), .columns_block = \(columnsBlock)",
      ".tile_outputs = \(tile.outputs), .tile_vectors = \(tile.vectors), .band = \(tile.band)",
      emitter.rectifier(geometry.layer.activation),
    ]
    emitter.forEachItem(items) { emitter in
      let x = emitter.pointer(input, items: items, pitch: geometry.itemPitch(inputPitches))
      let y = emitter.pointer(
        output, items: items, pitch: geometry.layer.filters * outputPitches.planePitch)
      emitter.call(
        name, fields: fields, arguments: [x, offsets, weights, bias, y])
    }
  }

  /// Weights as [group][block of filters][column][filter of the block].
  private func packed(_ weights: [Float], _ geometry: ConvolutionGeometry, tileOutputs: Int)
    -> [Float]
  {
    var result: [Float] = []
    result.reserveCapacity(weights.count)
    let columns = geometry.columns
    for group in 0..<geometry.layer.groups {
      let first = group * geometry.filters
      for block in stride(from: 0, to: geometry.filters, by: tileOutputs) {
        let filters = min(tileOutputs, geometry.filters - block)
        for column in 0..<columns {
          for filter in 0..<filters {
            result.append(weights[(first + block + filter) * columns + column])
          }
        }
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

  init(_ geometry: ConvolutionGeometry, rowPitch: Int, _ target: Target) {
    let candidates = target.lanes == 16 ? [(14, 2), (9, 3), (7, 4)] : [(6, 2), (4, 3), (3, 4)]
    let positions = target.vectors(geometry.positions(rowPitch: rowPitch))
    func waste(_ tile: (Int, Int)) -> Double {
      let blocks = (geometry.filters + tile.0 - 1) / tile.0
      let tiles = (positions + tile.1 - 1) / tile.1
      let used = Double(geometry.filters * positions)
      // Wide tiles load each weight less often; count their loads as well.
      let loads = 1 + 0.02 * Double(tile.0 + tile.1)
      return Double(blocks * tile.0 * tiles * tile.1) / used * loads
    }
    var best = candidates[0]
    for tile in candidates.dropFirst() where waste(tile) < waste(best) { best = tile }
    outputs = min(best.0, geometry.filters)
    vectors = best.1
    if outputs < 3 { vectors = 4 }
    // Half of the second-level cache for the inputs of a band; 512 positions keep the first level busy.
    let tileFloats = vectors * target.lanes
    let floats = target.level2Bytes / 8 / max(geometry.channels, 1)
    band = max(4 * tileFloats, min(512, floats) / tileFloats * tileFloats)
  }
}

/// "12.5 %".
func percent(_ share: Double) -> String {
  let tenths = Int((share * 1000).rounded())
  return "\(tenths / 10).\(tenths % 10) %"
}
