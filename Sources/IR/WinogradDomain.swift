/// Weights that were trained in the Winograd domain, F(4x4, 3x3) or F(4x4, 5x5), as the layer type `Winograd` of SkimCaffe
/// has them: for every filter and channel a matrix v of M x M points, M = 6 for 3x3 kernels and 8 for 5x5.
///
/// A tile of 4x4 outputs is Aᵀ [sum over channels of v .* (Bᵀ d B)] A of the M x M inputs d under it. A kernel w becomes
/// v = G w Gᵀ. Since v was trained, no w need map to it exactly; the kernel nearest in the least-squares sense is
/// G⁺ v G⁺ᵀ with the pseudo-inverse G⁺ = (GᵀG)⁻¹Gᵀ, for the pseudo-inverse of a Kronecker product is that of its factors.
///
/// In files v lies point by point, [M,M,out,in]; here filter by filter, [out,in,M,M], as other weights do.
public enum WinogradDomain {
  /// What SkimCaffe calls layers with such weights.
  public static let layerType = "Winograd"

  /// Rows and columns of a tile of outputs.
  public static let tile = 4

  /// Points along an axis, M, for a kernel extent.
  public static func points(kernel: Int) -> Int { kernel + tile - 1 }

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

  /// The matrix A, M rows by 4 columns: outputs are sums of products at the points, times the points' powers.
  public static func outputTransform(kernel: Int) -> [[Double]]? {
    let near: [[Double]] = [
      [1, 0, 0, 0], [1, 1, 1, 1], [1, -1, 1, -1], [1, 2, 4, 8], [1, -2, 4, -8],
    ]
    switch kernel {
    case 3: return near + [[0, 0, 0, 1]]
    case 5: return near + [[8, 4, 2, 1], [8, -4, 2, -1], [0, 0, 0, 1]]
    default: return nil
    }
  }

  /// What SkimCaffe multiplies thresholds by, point by point, [M x M]: the less a point says in the outputs the larger, the
  /// product of the inverse norms of its rows of A.
  public static func thresholdFactors(kernel: Int) -> [Float] {
    let norms = (outputTransform(kernel: kernel) ?? []).map { row in
      1 / row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    return norms.flatMap { row in norms.map { Float(row * $0) } }
  }

  /// The matrix B, M by M.
  public static func inputTransform(kernel: Int) -> [[Double]]? {
    switch kernel {
    case 3:
      [
        [4, 0, 0, 0, 0, 0], [0, -4, 4, -2, 2, 4], [-5, -4, -4, -1, -1, 0],
        [0, 1, -1, 2, -2, -5], [1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1],
      ]
    case 5:
      [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, -1, 1 / 2, -1 / 2, 2, -2, -1],
        [-21 / 4, 1, 1, 1 / 4, 1 / 4, 4, 4, 0],
        [0, -17 / 4, 17 / 4, -5 / 2, 5 / 2, -5 / 2, 5 / 2, 21 / 4],
        [21 / 4, -17 / 4, -17 / 4, -5 / 4, -5 / 4, -5, -5, 0],
        [0, 1, -1, 2, -2, 1 / 2, -1 / 2, -21 / 4],
        [-1, 1, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
      ]
    default: nil
    }
  }

  /// Whether `stored` is what a file holds, [M,M,out,in], for weights of shape [out,in,M,M].
  public static func isStored(_ stored: Shape, of weights: Shape) -> Bool {
    weights.axes == 4 && stored.axes == 4
      && stored.extents == [weights[2], weights[3], weights[0], weights[1]]
  }

  /// [M,M,out,in] from [out,in,M,M]; likewise its way back, from [M,M,out,in].
  public static func turned(_ tensor: Tensor) -> Tensor {
    let shape = turned(tensor.shape)
    return Tensor(
      shape: shape,
      values: turned(tensor.values, rows: shape[2] * shape[3], columns: shape[0] * shape[1]))
  }

  /// The shape of `turned` tensors.
  public static func turned(_ shape: Shape) -> Shape {
    guard let result = try? Shape([shape[2], shape[3], shape[0], shape[1]]) else {
      preconditionFailure("as many elements as before")
    }
    return result
  }

  /// The transpose of a matrix, row-major.
  public static func turned<Element>(_ values: [Element], rows: Int, columns: Int) -> [Element] {
    var result: [Element] = []
    result.reserveCapacity(values.count)
    for column in 0..<columns {
      for row in 0..<rows { result.append(values[row * columns + column]) }
    }
    return result
  }

  /// G w Gᵀ of every kernel: [out,in,M,M] from [out,in,k,k].
  ///
  /// - Returns: nil if there is no transform for such kernels.
  public static func transformed(_ kernels: Tensor) -> Tensor? {
    let shape = kernels.shape
    guard shape.axes == 4, shape[2] == shape[3], let g = transform(kernel: shape[2]) else {
      return nil
    }
    return mapped(kernels, by: g)
  }

  /// The nearest kernel of every transform, G⁺ v G⁺ᵀ: [out,in,k,k] from [out,in,M,M].
  ///
  /// - Returns: nil if these are no such transforms.
  public static func nearestKernels(_ transforms: Tensor, kernel: Int) -> Tensor? {
    let shape = transforms.shape
    guard shape.axes == 4, shape[2] == shape[3], shape[2] == points(kernel: kernel),
      let inverse = inverse(kernel: kernel)
    else { return nil }
    return mapped(transforms, by: inverse)
  }

  /// L x Lᵀ of every matrix x of the last two axes; nil if the result were too large.
  private static func mapped(_ tensor: Tensor, by left: [[Double]]) -> Tensor? {
    let (rows, columns) = (left.count, left[0].count)
    guard let shape = try? Shape(Array(tensor.shape.extents[..<2]) + [rows, rows]) else {
      return nil
    }
    let flat = left.flatMap { $0 }
    var half = [Double](repeating: 0, count: rows * columns)
    var values: [Float] = []
    values.reserveCapacity(shape.count)
    for start in stride(from: 0, to: tensor.count, by: columns * columns) {
      for row in 0..<rows {
        for column in 0..<columns {
          var sum = 0.0
          for k in 0..<columns {
            sum += flat[row * columns + k] * Double(tensor.values[start + k * columns + column])
          }
          half[row * columns + column] = sum
        }
      }
      for row in 0..<rows {
        for column in 0..<rows {
          var sum = 0.0
          for k in 0..<columns { sum += half[row * columns + k] * flat[column * columns + k] }
          values.append(Float(sum))
        }
      }
    }
    return Tensor(shape: shape, values: values)
  }

  /// Brings a blob [M,M,out,in] back to [out,in,k,k].
  ///
  /// - Returns: nil if the blob is not the transform of one of shape `expected`.
  public static func spatial(_ blob: Tensor, expected: Shape) -> Tensor? {
    guard expected.axes == 4, blob.shape.axes == 4, expected[2] == expected[3] else { return nil }
    let kernel = expected[2]
    let points = points(kernel: kernel)
    guard blob.shape.extents == [points, points, expected[0], expected[1]] else { return nil }
    return nearestKernels(turned(blob), kernel: kernel)
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
