/// Weights that were trained in the Winograd domain, F(4x4, 3x3) or F(4x4, 5x5), as the layer type
/// `Winograd` of SkimCaffe stores them: a blob [M,M,out,in], M = 6 for 3x3 kernels and 8 for 5x5.
///
/// A kernel w becomes v = G w Gᵀ there. Since v was trained, no w need map to it exactly; the
/// kernel nearest in the least-squares sense is G⁺ v G⁺ᵀ with the pseudo-inverse
/// G⁺ = (GᵀG)⁻¹Gᵀ, for the pseudo-inverse of a Kronecker product is that of its factors.
public enum WinogradDomain {
  /// The matrix G for a kernel extent, M rows by kernel columns; nil unless the extent is 3 or 5.
  public static func transform(kernel: Int) -> [[Double]]? {
    switch kernel {
    case 3:
      [
        [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
      ]
    case 5:
      [
        [1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1].map { $0 * -2 / 9 },
        [1, -1, 1, -1, 1].map { $0 * -2 / 9 },
        [1, 2, 4, 8, 16].map { $0 / 90 },
        [1, -2, 4, -8, 16].map { $0 / 90 },
        [16, 8, 4, 2, 1].map { $0 / 180 },
        [16, -8, 4, -2, 1].map { $0 / 180 },
        [0, 0, 0, 0, 1],
      ]
    default: nil
    }
  }

  /// The pseudo-inverse of `transform(kernel:)`, kernel rows by M columns.
  public static func inverse(kernel: Int) -> [[Double]]? {
    transform(kernel: kernel).map { g in
      solve(product(transposed(g), g), transposed(g))
    }
  }

  /// Brings a blob [M,M,out,in] back to [out,in,k,k].
  ///
  /// - Returns: nil if the blob is not the transform of one of shape `expected`.
  public static func spatial(_ blob: Tensor, expected: Shape) -> Tensor? {
    guard expected.axes == 4, blob.shape.axes == 4, expected[2] == expected[3] else { return nil }
    let kernel = expected[2]
    guard let inverse = inverse(kernel: kernel) else { return nil }
    let tile = kernel + 3
    let filters = expected[0] * expected[1]
    guard blob.shape.extents == [tile, tile, expected[0], expected[1]] else { return nil }
    var values = [Float](repeating: 0, count: expected.count)
    for filter in 0..<filters {
      let point = (0..<tile).map { row in
        (0..<tile).map { Double(blob.values[(row * tile + $0) * filters + filter]) }
      }
      let spatial = product(product(inverse, point), transposed(inverse))
      for (offset, value) in spatial.joined().enumerated() {
        values[filter * kernel * kernel + offset] = Float(value)
      }
    }
    return Tensor(shape: expected, values: values)
  }

  private static func transposed(_ a: [[Double]]) -> [[Double]] {
    a[0].indices.map { column in a.map { $0[column] } }
  }

  private static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    let columns = transposed(b)
    return a.map { row in columns.map { zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
  }

  /// Solves a x = b by Gauss-Jordan elimination for a well-conditioned a (here GᵀG).
  private static func solve(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    let n = a.count
    var rows = zip(a, b).map { $0 + $1 }
    for pivot in 0..<n {
      let best = (pivot..<n).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
      rows.swapAt(pivot, best)
      let scale = rows[pivot][pivot]
      rows[pivot] = rows[pivot].map { $0 / scale }
      for row in 0..<n where row != pivot {
        let factor = rows[row][pivot]
        rows[row] = zip(rows[row], rows[pivot]).map { $0 - factor * $1 }
      }
    }
    return rows.map { Array($0[n...]) }
  }
}
