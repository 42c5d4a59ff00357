import IR

/// Convolution as a matrix product over packed panels of inputs, all weights multiplied: convolution_packed.h.
struct PackedConvolution: Kernel {
  let name = "convolution_packed"
  let multipliesAll = true

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard let geometry = ConvolutionGeometry(node, in: graph) else { return nil }
    if let obstacle = geometry.obstacle { return declines(obstacle) }
    return fits(
      cycles: PackedProduct(geometry, target).cycles(target) + geometry.addendCycles(target),
      target, inputs: geometry.inputNeeds(), outputs: [.anyPlanes],
      reason: "all weights are multiplied at full speed, with inputs copied behind each other")
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
    let fields = [
      ".output = \(emitter.planes(output, count: filters))",
      ".row_pitch = \(inputPitches.rowPitch), "
        + ".group_pitch = \(geometry.groupPitch(inputPitches))",
      ".columns = \(geometry.columns), .columns_block = \(product.columnsBlock)",
      ".blocks = \(product.blocks.count), .tile_vectors = \(product.vectors), "
        + ".band = \(product.band)",
      emitter.epilogue(node),
    ]
    let bias =
      geometry.layer.hasBias
      ? source.parameters[1].values : [Float](repeating: 0, count: filters)
    let table = product.blocks.flatMap { [UInt32($0.group), UInt32($0.filters.lowerBound)] }
    let store = [
      ".blocks = "
        + emitter.weights.append(words: table + [0, UInt32(filters)], as: "struct packed_block"),
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
  struct Block {
    var group: Int
    var filters: Range<Int>
  }

  let blocks: [Block]
  /// Columns of a panel.
  let columnsBlock: Int
  /// Positions of a panel.
  let band: Int
  /// Vectors of a tile of registers.
  let vectors: Int
  private let geometry: ConvolutionGeometry

  /// Floats of a panel at most, as in panel.h.
  private static let panelFloats = 16384
  private static let mostPositions = 512

  init(_ geometry: ConvolutionGeometry, _ target: Target) {
    self.geometry = geometry
    let tile = target.lanes == 16 ? 14 : 6
    let outputs = min(tile, geometry.filters)
    vectors = outputs < 3 ? 4 : 2
    let positions = vectors * target.lanes
    // With few filters a panel is soon used up; with many it should hold all columns that fit beside two tiles.
    let most = geometry.filters <= 64 ? 128 : Self.panelFloats / (2 * positions)
    columnsBlock = min(geometry.columns, most)
    let floats = min(Self.panelFloats, target.level1Bytes / 4)
    let wide = min(Self.mostPositions, floats / columnsBlock)
    band = max(2, wide / positions) * positions
    let filters = geometry.filters
    blocks = (0..<geometry.layer.groups).flatMap { group in
      stride(from: 0, to: filters, by: outputs).map { first in
        let start = group * filters
        return Block(
          group: group, filters: start + first..<start + min(first + outputs, filters))
      }
    }
  }

  /// Cycles for all items. Fitted to ResNet-50's layers on AMD's third Zen generation.
  func cycles(_ target: Target) -> Double {
    let positions = geometry.output[2] * geometry.output[3]
    let columns = Double(geometry.columns)
    let groups = Double(geometry.layer.groups)
    let chunks = Double((geometry.columns + columnsBlock - 1) / columnsBlock)
    var result = 0.0
    for start in stride(from: 0, to: positions, by: band) {
      let count = min(band, positions - start)
      let copies = Double(target.vectors(count) + count / max(geometry.output[3], 1))
      result += groups * columns * copies * 4
      for block in blocks {
        result += columns * cycles(filters: block.filters.count, positions: count, target)
        result += chunks * (20 + Double(block.filters.count * target.vectors(count)))
      }
    }
    return Double(geometry.items) * result + 2000
  }

  /// Cycles for one column of a block of filters.
  private func cycles(filters: Int, positions: Int, _ target: Target) -> Double {
    func tile(_ vectors: Int) -> Double {
      let work = Double(filters * vectors) / target.multiplyAddsPerCycle
      let loads = (Double(filters + vectors) + 1) / 2
      return max(work * 1.1, loads, 4)
    }
    let tail = positions % target.lanes
    let turned = filters >= 4 && filters <= target.lanes && (tail == 1 || tail == 2)
    let count = turned ? positions / target.lanes : target.vectors(positions)
    let (full, rest) = count.quotientAndRemainder(dividingBy: vectors)
    return Double(full) * tile(vectors) + (rest == 0 ? 0 : tile(rest))
      + (turned ? 1.3 * Double(tail) : 0)
  }

  /// Weights by group, then panel, then block: [column][filter]; and a vector of zeros, since lanes may be read
  /// that stand for no filter.
  func packed(_ weights: [Float]) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(weights.count + 16)
    var first = 0
    while first < blocks.count {
      let group = blocks[first].group
      let end = blocks[first...].firstIndex { $0.group != group } ?? blocks.count
      for start in stride(from: 0, to: geometry.columns, by: columnsBlock) {
        let columns = start..<min(start + columnsBlock, geometry.columns)
        for block in blocks[first..<end] {
          for column in columns {
            for filter in block.filters {
              result.append(weights[filter * geometry.columns + column])
            }
          }
        }
      }
      first = end
    }
    return result + [Float](repeating: 0, count: 16)
  }
}
