import IR

/// Convolution whose pattern of nonzeros is code: convolution_hardcoded.h.
///
/// Few filters at a time share the inputs that they read: an input is loaded once for all of them, and each
/// nonzero weight is one multiply-add. It wins over the table where filters have columns in common, as
/// structured pruning leaves them, and where the code is run for many tiles of positions.
struct HardCodedConvolution: Kernel {
  let name = "convolution_hardcoded"

  /// Bytes of code for one layer at most: beyond, instructions come from the third-level cache, slower than
  /// the table's data would.
  static let codeLimit = 3 << 19
  /// Tiles of positions below which fetching the code outweighs running it.
  static let fewestTiles = 8

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    guard target.lanes >= 8, target.multiplyAddsPerCycle >= 2 else {
      return declines("\(target.architecture) has no fused multiply-add of vectors")
    }
    guard geometry.items == 1 else { return declines("the batch is fixed at \(geometry.items)") }
    let form = StraightLineForm(target)
    let positions = geometry.positions(rowPitch: geometry.expectedRowPitch)
    let tiles = (positions + form.positions - 1) / form.positions
    guard tiles >= Self.fewestTiles else {
      return declines("its code would run for \(tiles) tiles of positions only")
    }
    let weights = graph[node].parameters[0]
    // Every nonzero takes an instruction or more: no need to look at patterns of a dense layer.
    guard weights.nonzeroCount * 11 <= Self.codeLimit else { return declines(tooLong(weights)) }
    let blocks = HardCodedBlocks(
      FilterPatterns(weights.values, geometry), tileOutputs: form.outputs)
    let bytes = form.bytes(nonzeros: weights.nonzeroCount, columns: blocks.columnCount)
    guard bytes <= Self.codeLimit else { return declines(tooLong(weights)) }
    var candidate = fits(
      cycles: form.cycles(
        nonzeros: weights.nonzeroCount, columns: blocks.columnCount, blocks: blocks.blocks.count,
        tiles: tiles, bytes: bytes) + geometry.addendCycles(target), target,
      inputs: geometry.inputNeeds(), outputs: [.anyPlanes],
      reason: "\(percent(weights.density)) of the weights are not zero, and "
        + "\(form.outputs) filters share \(tenths(weights.nonzeroCount, blocks.columnCount)) weights "
        + "per input that they load")
    candidate.codeBytes = bytes
    candidate.keepsRowPitch = true
    return candidate
  }

  private func tooLong(_ weights: Tensor) -> String {
    "its \(weights.nonzeroCount) nonzeros would take more than \(Self.codeLimit >> 10) kB of code"
  }

  private func tenths(_ a: Int, _ b: Int) -> String {
    let tenths = b == 0 ? 0 : (10 * a + b / 2) / b
    return "\(tenths / 10).\(tenths % 10)"
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard let geometry = ConvolutionGeometry(node, in: emitter.graph) else {
      preconditionFailure("the chooser gives this kernel convolutions only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let pitches = emitter.lowered.pitches(of: input)
    let weights = source.parameters[0].values
    let form = StraightLineForm(emitter.target)
    let blocks = HardCodedBlocks(FilterPatterns(weights, geometry), tileOutputs: form.outputs)
    let offsets = geometry.offsets(pitches)
    var values: [Float] = []
    var starts: [Int] = []
    let code = blocks.blocks.map { block in
      starts.append(values.count)
      let start = block.group * geometry.groupPitch(pitches)
      return form.code(
        filters: block.filters.count,
        columns: block.columns.map { column in
          let readers = block.filters.enumerated().filter {
            weights[$0.element * geometry.columns + column] != 0
          }
          values += readers.map { weights[$0.element * geometry.columns + column] }
          return StraightLineForm.Column(
            offset: 4 * (start + Int(offsets[column])), readers: readers.map(\.offset))
        })
    }
    let (name, table) = emitter.code.append(blocks: code)
    let filters = blocks.blocks.flatMap(\.filters) + blocks.deadFilters
    var ends: [UInt32] = []
    var filterCount = 0
    for (block, start) in zip(blocks.blocks, starts) {
      ends += [UInt32(start), UInt32(filterCount)]
      filterCount += block.filters.count
    }
    ends += [UInt32(values.count), UInt32(filterCount)]
    let bias =
      geometry.layer.hasBias
      ? filters.map { source.parameters[1].values[$0] } : filters.map { _ in 0 }
    let store = [
      ".code = \(name), .code_starts = \(table)",
      ".blocks = \(emitter.weights.append(words: ends, as: "struct hardcoded_block"))",
      ".values = \(emitter.weights.append(floats: values.isEmpty ? [0] : values))",
      ".planes = \(emitter.weights.append(counts: filters.map(UInt32.init)))",
      ".bias = \(emitter.weights.append(floats: bias))",
      ".x = \(emitter.pointer(input)), .y = \(emitter.pointer(output))",
    ]
    let fields = [
      ".output = \(emitter.planes(output, count: geometry.layer.filters))",
      ".row_pitch = \(pitches.rowPitch)",
      ".blocks = \(blocks.blocks.count), .vectors = \(form.vectors)",
      emitter.epilogue(node),
    ]
    emitter.body.line("const struct hardcoded_arrays arrays = {")
    for field in store { emitter.body.line("  \(field),") }
    emitter.body.line("};")
    emitter.call(name: "convolution_hardcoded", fields: fields)
  }
}

extension LayerEmitter {
  fileprivate mutating func call(name: String, fields: [String]) {
    call(name, fields: fields, arguments: ["arrays"])
  }
}

/// Filters in blocks that share code, each with the columns that any of its filters reads.
private struct HardCodedBlocks {
  struct Block {
    var group: Int
    var filters: [Int]
    var columns: [Int]
  }

  let blocks: [Block]
  let deadFilters: [Int]

  init(_ patterns: FilterPatterns, tileOutputs: Int) {
    let live = LiveColumns(patterns, tileOutputs: tileOutputs)
    deadFilters = live.deadFilters
    blocks = live.blocks.map { block in
      Block(
        group: block.group, filters: Array(block.filters),
        columns: patterns.union(block.filters).columns)
    }
  }

  /// Columns of all blocks.
  var columnCount: Int { blocks.reduce(0) { $0 + $1.columns.count } }
}
