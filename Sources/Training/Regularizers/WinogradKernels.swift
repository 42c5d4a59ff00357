import IR

/// The Winograd transform of 3x3 or 5x5 kernels, F(4x4, 3x3) or F(4x4, 5x5): a kernel w becomes v = G w Gᵀ, and the
/// kernel nearest to a v (least squares) is P v Pᵀ with P the pseudo-inverse of G.
struct WinogradKernels {
  /// Extent of a kernel, N, and of its transform, M = N + 3.
  let extent: Int
  let points: Int
  /// [M x N] and [N x M], row-major.
  private let forward: [Double]
  private let backward: [Double]
  /// The norm of each column of P (x) P, [M x M]: how far a weight moves when a point changes by 1.
  let sensitivity: [Double]

  /// - Returns: nil for kernels that have no such transform.
  init?(extent: Int) {
    guard let transform = WinogradDomain.transform(kernel: extent),
      let inverse = WinogradDomain.inverse(kernel: extent)
    else { return nil }
    self.extent = extent
    points = transform.count
    forward = transform.flatMap { $0 }
    backward = inverse.flatMap { $0 }
    let norms = transform.indices.map { column in
      inverse.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
    }
    sensitivity = norms.flatMap { row in norms.map { row * $0 } }
  }

  /// G w Gᵀ
  func transformed(_ kernel: UnsafePointer<Float>) -> [Double] {
    let values = (0..<extent * extent).map { Double(kernel[$0]) }
    return Self.sandwich(forward, points, extent, values)
  }

  /// Gᵀ v G: the gradient of a function of v with respect to w.
  func pulledBack(_ v: [Double]) -> [Double] {
    Self.sandwich(Self.transposed(forward, points, extent), extent, points, v)
  }

  /// P v Pᵀ
  func nearestKernel(_ v: [Double]) -> [Double] { Self.sandwich(backward, extent, points, v) }

  /// The kernel x that minimises factor^2 * |points of x in `pruned`|^2 + |x - w|^2 (skim-w).
  func kernel(
    near w: [Double], pushing pruned: [Int], by factor: Double
  ) -> [Double] {
    let n = extent * extent
    // (I + factor^2 Aᵀ A) x = w over the pruned rows of A = G (x) G.
    var system = [Double](repeating: 0, count: n * n)
    for i in 0..<n { system[i * n + i] = 1 }
    for point in pruned {
      let (p, q) = (point / points, point % points)
      let row = (0..<n).map {
        forward[p * extent + $0 / extent] * forward[q * extent + $0 % extent]
      }
      for i in 0..<n {
        for j in 0..<n { system[i * n + j] += factor * factor * row[i] * row[j] }
      }
    }
    return Self.solved(system, w)
  }

  /// a x aᵀ, a being [rows x columns] and x [columns x columns].
  private static func sandwich(_ a: [Double], _ rows: Int, _ columns: Int, _ x: [Double])
    -> [Double]
  {
    var left = [Double](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for k in 0..<columns {
        let factor = a[i * columns + k]
        if factor == 0 { continue }
        for j in 0..<columns { left[i * columns + j] += factor * x[k * columns + j] }
      }
    }
    var result = [Double](repeating: 0, count: rows * rows)
    for i in 0..<rows {
      for j in 0..<rows {
        var sum = 0.0
        for k in 0..<columns { sum += left[i * columns + k] * a[j * columns + k] }
        result[i * rows + j] = sum
      }
    }
    return result
  }

  private static func transposed(_ a: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    (0..<columns).flatMap { column in (0..<rows).map { a[$0 * columns + column] } }
  }

  /// Solves a symmetric positive definite system by Cholesky's method.
  private static func solved(_ system: [Double], _ right: [Double]) -> [Double] {
    let n = right.count
    var l = system
    var x = right
    for j in 0..<n {
      for k in 0..<j { l[j * n + j] -= l[j * n + k] * l[j * n + k] }
      l[j * n + j] = l[j * n + j].squareRoot()
      for i in j + 1..<n {
        for k in 0..<j { l[i * n + j] -= l[i * n + k] * l[j * n + k] }
        l[i * n + j] /= l[j * n + j]
      }
    }
    for i in 0..<n {
      for k in 0..<i { x[i] -= l[i * n + k] * x[k] }
      x[i] /= l[i * n + i]
    }
    for i in (0..<n).reversed() {
      for k in i + 1..<n { x[i] -= l[k * n + i] * x[k] }
      x[i] /= l[i * n + i]
    }
    return x
  }
}
