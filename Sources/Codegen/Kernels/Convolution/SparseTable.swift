import IR

/// How convolution_sparse.h computes a layer: tiles of how many vectors, inputs copied into a panel or not, in how
/// many slabs.
struct SparseForm {
  /// Whether inputs are copied: where every column is a plane of its own, all on memory pages of their own, and
  /// filters enough share the copy.
  let isPacked: Bool
  /// Vectors of positions of a tile.
  private(set) var vectors: Int
  /// Slabs of input channels, each of which stays in the first-level cache.
  private(set) var slabs: Int
  private let lanes: Int

  /// Floats of a row of the panel.
  var panelPitch: Int { vectors * lanes }

  /// What the panel has room for: PANEL_FLOATS of panel.h.
  static let panelFloats = 16384

  /// Bytes of a panel: measured best between first- and second-level cache.
  private static func panelBytes(_ target: Target) -> Int {
    min(target.level1Bytes * 3 / 2, 4 * panelFloats)
  }

  init(_ geometry: ConvolutionGeometry, _ target: Target) {
    let window = geometry.layer.window
    isPacked =
      window.taps == 1 && geometry.layer.groups == 1
      && geometry.layer.filters >= geometry.channels
    let positions = target.vectors(
      isPacked
        ? geometry.output[2] * geometry.output[3]
        : geometry.positions(rowPitch: geometry.expectedRowPitch))
    vectors = min(target.lanes == 16 ? 24 : 12, positions)
    slabs = 1
    lanes = target.lanes
    guard isPacked else { return }
    // Seven or eight vectors, unless five or six spare a slab.
    let most = target.lanes == 16 ? 16 : 8
    let bytes = { (vectors: Int) in 4 * geometry.channels * vectors * target.lanes }
    let panel = Self.panelBytes(target)
    vectors = min(most, positions)
    let fewer = most * 3 / 4
    if vectors > fewer, bytes(vectors) > panel, bytes(fewer) <= panel { vectors = fewer }
    let tiles = (positions + vectors - 1) / vectors
    vectors = (positions + tiles - 1) / tiles
    // By columns that fit, since slabs of bytes that fit may round up to one column too many.
    let columns = max(1, panel / (4 * panelPitch))
    slabs = (geometry.channels + columns - 1) / columns
  }

  /// Slabs when inputs are read directly: so many that a slab's inputs stay in the first-level cache, but that a
  /// row with taps keeps a dozen in each (measured; see Benchmarks/Kernels).
  mutating func fit(
    _ geometry: ConvolutionGeometry, _ input: Pitches, _ output: Pitches, tapsOfRow: Int,
    _ target: Target
  ) {
    vectors = min(vectors, target.vectors(geometry.positions(rowPitch: input.rowPitch)))
    guard output.rowPitch >= input.rowPitch else { return }
    let reach = (geometry.layer.window.span(0) - 1) * input.rowPitch
    let bytes = 4 * geometry.channels * (vectors * target.lanes + reach)
    let wanted = bytes / (target.level1Bytes / 2)
    slabs = max(1, min(wanted, tapsOfRow / 12, geometry.channels))
  }

  /// Cycles for one item. Fitted to ResNet-50's layers at 90 % sparsity on AMD's third Zen generation.
  func cycles(_ geometry: ConvolutionGeometry, nonzeros: Int, _ target: Target) -> Double {
    let filters = Double(geometry.layer.filters)
    if isPacked {
      let positions = target.vectors(geometry.output[2] * geometry.output[3])
      let tiles = Double((positions + vectors - 1) / vectors)
      let perVector = target.lanes == 16 ? 0.75 : 0.7
      let work = Double(nonzeros) * (Double(positions) * perVector + tiles)
      let rows = filters * Double(slabs) * (Double(positions) * 1.3 + tiles * 6)
      return work + rows + Double(geometry.channels * positions) * 3
    }
    // Per nonzero and vector one multiply-add with an unaligned operand, and a table entry per tile.
    let positions = target.vectors(geometry.positions(rowPitch: geometry.expectedRowPitch))
    let tiles = Double((positions + vectors - 1) / vectors)
    let perVector = target.lanes == 16 ? 0.95 : 0.8
    let work = Double(nonzeros) * (Double(positions) * perVector + tiles * 2)
    // Each call does few rows of few taps, whose ends are not foreseen.
    let calls = geometry.isDepthwise ? filters * Double(tiles) * 40 : 0
    return work + filters * Double(positions) * 2 + calls
  }
}

/// The nonzero weights of a layer by slab of input channels, then by filter, as convolution_sparse.h wants them.
struct SparseTable {
  private(set) var taps: [Tap] = []
  /// Plane and end of the taps of each row of each slab: `struct sparse_row`.
  private(set) var rows: [UInt32] = []
  private(set) var groupStarts: [UInt32]
  /// Of the panel's columns; empty if there is no panel.
  private(set) var offsets: [Int32] = []
  let slabs: Int
  let slabColumns: Int

  init(
    _ weights: [Float], _ geometry: ConvolutionGeometry, _ pitches: Pitches, _ form: SparseForm
  ) {
    let perSlab = (geometry.channels + form.slabs - 1) / form.slabs * geometry.layer.window.taps
    slabColumns = perSlab
    slabs = (geometry.columns + perSlab - 1) / perSlab
    precondition(
      !form.isPacked || perSlab * form.panelPitch <= SparseForm.panelFloats,
      "a slab's inputs fit into the panel")
    let inputs = geometry.offsets(pitches)
    if form.isPacked { offsets = inputs }
    let filters = geometry.layer.filters
    let counts = (0..<filters).map { filter in
      weights[filter * geometry.columns..<(filter + 1) * geometry.columns].count { $0 != 0 }
    }
    let starts = Self.groupStarts(counts)
    groupStarts = starts.map(UInt32.init)
    for slab in 0..<slabs {
      let range = slab * perSlab..<min((slab + 1) * perSlab, geometry.columns)
      for (start, end) in zip(starts, starts.dropFirst()) {
        let rows = (start..<end).map { filter in
          (filter: filter, columns: range.filter { weights[filter * geometry.columns + $0] != 0 })
        }
        // Rows of equal length behind each other: their ends are foreseen.
        let ordered =
          geometry.isDepthwise
          ? rows
          : rows.sorted {
            ($0.columns.count, $0.filter) < ($1.columns.count, $1.filter)
          }
        for row in ordered {
          let group = row.filter / geometry.filters * geometry.groupPitch(pitches)
          for column in row.columns {
            let offset =
              form.isPacked
              ? (column - range.lowerBound) * form.panelPitch : group + Int(inputs[column])
            taps.append(
              Tap(
                offset: Int32(offset), value: weights[row.filter * geometry.columns + column]))
          }
          self.rows += [UInt32(row.filter), UInt32(taps.count)]
        }
      }
    }
  }

  /// Where groups of filters begin, and the number of filters: groups have about as many taps each.
  private static func groupStarts(_ counts: [Int]) -> [Int] {
    let rowCost = 4
    let groups = max(1, min(4, counts.count / 8))
    let total = counts.reduce(0) { $0 + $1 + rowCost }
    var starts = [0]
    var sum = 0
    for (filter, count) in counts.enumerated() {
      if starts.count < groups, sum * groups >= total * starts.count { starts.append(filter) }
      sum += count + rowCost
    }
    return starts + [counts.count]
  }
}
