import IR

/// Equal tiles that cover an array seen as a matrix of `shape[0]` rows: what becomes zero together.
///
/// Tiles are numbered row by row of the grid that they form.
public struct Tiling: Hashable, Sendable {
  public let rows: Int
  public let columns: Int
  /// Rows and columns of one tile.
  public let height: Int
  public let width: Int

  /// - Precondition: the tiles fill the matrix.
  public init(rows: Int, columns: Int, height: Int, width: Int) {
    precondition(height > 0 && width > 0, "tiles have elements")
    precondition(rows % height == 0 && columns % width == 0, "tiles fill the matrix")
    self.rows = rows
    self.columns = columns
    self.height = height
    self.width = width
  }

  /// Tiles of `height` rows and `width` columns of an array; nil stands for all of them.
  public init(of shape: Shape, height: Int? = nil, width: Int? = nil) {
    let rows = shape.axes == 0 ? 1 : shape[0]
    let columns = shape.count / rows
    self.init(rows: rows, columns: columns, height: height ?? rows, width: width ?? columns)
  }

  public var count: Int { rows / height * tilesPerRow }

  /// Elements of one tile.
  public var area: Int { height * width }

  private var tilesPerRow: Int { columns / width }

  /// The tile in which an element lies.
  public func tile(of element: Int) -> Int {
    element / columns / height * tilesPerRow + element % columns / width
  }

  /// Calls `body` with pieces of `range` that lie in one row each and in as few tiles as possible: the piece, and the
  /// tile of its first element. Within a piece every `width` columns the next tile begins.
  func forEachRow(
    in range: Range<Int>, _ body: (Range<Int>, _ firstColumn: Int, _ row: Int) -> Void
  ) {
    var start = range.lowerBound
    while start < range.upperBound {
      let row = start / columns
      let end = min(range.upperBound, (row + 1) * columns)
      body(start..<end, start - row * columns, row)
      start = end
    }
  }

  /// Adds the squares of all elements to the sums of their tiles.
  func addSquares(of values: UnsafePointer<Float>, to sums: inout [Double]) {
    precondition(sums.count == count, "one sum for each tile")
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        let line = values + row * columns
        let first = row / height * tilesPerRow
        if width == 1 {
          for column in 0..<columns {
            let value = Double(line[column])
            sums[first + column] += value * value
          }
        } else {
          for tile in 0..<tilesPerRow {
            sums[first + tile] += Sums.squares(line + tile * width, width)
          }
        }
      }
    }
  }

  /// values[i] *= factors[tile of i]
  func scale(_ values: UnsafeMutablePointer<Float>, by factors: [Float]) {
    factors.withUnsafeBufferPointer { factors in
      forEachRow(in: 0..<rows * columns) { piece, firstColumn, row in
        let first = row / height * tilesPerRow
        let line = values + piece.lowerBound
        if width == 1 {
          for i in 0..<piece.count { line[i] *= factors[first + firstColumn + i] }
        } else {
          for tile in 0..<tilesPerRow {
            let factor = factors[first + tile]
            if factor == 1 { continue }
            for i in tile * width..<(tile + 1) * width { line[i] *= factor }
          }
        }
      }
    }
  }

  /// result[i] += factors[tile of i] * values[i], for the elements of a range.
  func add(
    _ values: UnsafePointer<Float>, times factors: UnsafeBufferPointer<Float>,
    to result: UnsafeMutablePointer<Float>, in range: Range<Int>
  ) {
    forEachRow(in: range) { piece, firstColumn, row in
      let first = row / height * tilesPerRow
      var i = piece.lowerBound
      var column = firstColumn
      if width == 1 {
        let factor = factors.baseAddress.map { $0 + first + column }
        guard let factor else { return }
        for j in 0..<piece.count { result[i + j] += factor[j] * values[i + j] }
        return
      }
      while i < piece.upperBound {
        let tile = column / width
        let end = min(piece.upperBound, i + (tile + 1) * width - column)
        let factor = factors[first + tile]
        for j in i..<end { result[j] += factor * values[j] }
        column += end - i
        i = end
      }
    }
  }
}
