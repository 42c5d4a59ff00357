/// The nonzero weights of an inner product by column, within a column by segment of outputs, in blocks of four, as
/// inner_product_sparse.h wants them.
struct ColumnBlocks {
  /// Rows have 16 bits.
  static let mostOutputs = 1 << 16
  private static let blockWeights = 4

  /// Ranges of outputs, each of which a part can own.
  let segments: Int
  let segmentOutputs: Int
  /// Behind the last block of each segment of each column.
  private(set) var columnEnds: [UInt32] = []
  /// `struct column_block`: four values, then four rows.
  private(set) var blocks: [UInt32] = []

  init(_ weights: [Float], _ geometry: InnerProductGeometry) {
    let count = Self.segments(of: geometry, nonzeros: weights.count { $0 != 0 })
    segmentOutputs = (geometry.outputs + count - 1) / count
    segments = (geometry.outputs + segmentOutputs - 1) / segmentOutputs
    columnEnds.reserveCapacity(geometry.inputs * segments)
    weights.withUnsafeBufferPointer { weights in
      for column in 0..<geometry.inputs {
        for first in stride(from: 0, to: geometry.outputs, by: segmentOutputs) {
          let outputs = first..<min(first + segmentOutputs, geometry.outputs)
          append(
            outputs.lazy.map { ($0, weights[$0 * geometry.inputs + column]) }.filter { $0.1 != 0 })
          columnEnds.append(UInt32(blocks.count / 6))
        }
      }
    }
  }

  /// Appends the weights of one segment of a column; zeros for its last row fill the last block.
  private mutating func append(_ entries: some Sequence<(row: Int, weight: Float)>) {
    var values: [UInt32] = []
    var rows: [UInt32] = []
    func flush() -> [UInt32] {
      values + [rows[0] | rows[1] << 16, rows[2] | rows[3] << 16]
    }
    for entry in entries {
      values.append(entry.weight.bitPattern)
      rows.append(UInt32(entry.row))
      guard values.count == Self.blockWeights else { continue }
      blocks += flush()
      values.removeAll(keepingCapacity: true)
      rows.removeAll(keepingCapacity: true)
    }
    guard let last = rows.last else { return }
    while values.count < Self.blockWeights {
      values.append(Float(0).bitPattern)
      rows.append(last)
    }
    blocks += flush()
  }

  /// Several items together take 1024 outputs at most; parts of fewer than 32 weights of a column are not worth
  /// a part's listing.
  private static func segments(of geometry: InnerProductGeometry, nonzeros: Int) -> Int {
    let perColumn = nonzeros / max(1, geometry.inputs)
    guard perColumn >= 32 else { return 1 }
    return min(geometry.outputs, max(min(16, perColumn / 32), (geometry.outputs + 1023) / 1024))
  }

  /// How many zeros are expected to fill blocks of a matrix with so many weights that are not zero.
  static func filling(of geometry: InnerProductGeometry, nonzeros: Int) -> Double {
    let lists = Double(geometry.inputs * segments(of: geometry, nonzeros: nonzeros))
    let perList = Double(nonzeros) / max(1, lists)
    // Lists of many end anywhere in a block; of few, most are empty.
    return lists * min(perList * 3, 1.5)
  }
}
