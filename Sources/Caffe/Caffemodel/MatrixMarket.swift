import Foundation
import IR

/// A matrix in the Matrix Market exchange format, in which SSL and SkimCaffe publish weights.
///
/// A blob is a matrix of shape[0] rows and count/shape[0] columns; the columns of a
/// convolution are input channel (within the group), kernel row, kernel column. Both forms are
/// read: `array` (every value, column by column) and `coordinate` (row, column and value of
/// those that are not zero, from 1).
public struct MatrixMarket {
  /// What the size line says.
  public let rows: Int
  public let columns: Int
  /// The number of entries of a `coordinate` file; nil for `array`.
  private let entries: Int?
  private let data: Data
  private let file: String
  private let start: Cursor

  /// Reads the header of a file that error messages shall call `file`.
  public init(data: Data, file: String) throws(Diagnostic) {
    self.data = data
    self.file = file
    var cursor = Cursor()
    let header = cursor.headerLine(data.bytes).lowercased().split(separator: " ")
    guard header.count == 5, header[0] == "%%matrixmarket", header[1] == "matrix",
      header[2] == "array" || header[2] == "coordinate"
    else {
      throw .error(
        "does not start with a line like %%MatrixMarket matrix array real general",
        at: cursor.location(file))
    }
    guard ["real", "double", "integer"].contains(header[3]), header[4] == "general" else {
      throw .error(
        "a \(Spelling.shown("\(header[3]) \(header[4])")) matrix; only real general ones can be weights",
        at: cursor.location(file))
    }
    cursor.skipComments(data.bytes)
    rows = try cursor.integer(data.bytes, "the number of rows", file)
    columns = try cursor.integer(data.bytes, "the number of columns", file)
    entries =
      header[2] == "array" ? nil : try cursor.integer(data.bytes, "the number of entries", file)
    start = cursor
  }

  /// The values as a blob of `shape`; entries that a `coordinate` file repeats are added up.
  ///
  /// Nothing is allocated before the matrix is known to have that shape.
  ///
  /// - Throws: one line that says what is wrong and in which line of the file.
  public func tensor(of shape: Shape) throws(Diagnostic) -> Tensor {
    let (wantedRows, wantedColumns) = Self.matrix(of: shape)
    guard rows == wantedRows, columns == wantedColumns else {
      throw .error(
        "is a matrix of \(rows)x\(columns) where a blob \(shape) needs "
          + "\(wantedRows)x\(wantedColumns)", file: file)
    }
    // The shortest entries are "0\n" and "1 1 0\n"; a last line end may lack.
    let bytes = data.count - start.offset
    guard (entries ?? shape.count) <= (bytes + 1) / (entries == nil ? 2 : 6) else {
      throw .error("ends too early: \(entries ?? shape.count) entries are announced", file: file)
    }
    var values = [Float](repeating: 0, count: shape.count)
    var cursor = start
    let span = data.bytes
    if let entries {
      for _ in 0..<entries {
        let row = try cursor.integer(span, "a row", file)
        let column = try cursor.integer(span, "a column", file)
        guard row >= 1, row <= rows, column >= 1, column <= columns else {
          throw .error(
            "entry (\(row), \(column)) lies outside \(rows)x\(columns)", at: cursor.location(file))
        }
        values[(row - 1) * columns + column - 1] += try cursor.float(span, file)
      }
    } else {
      for column in 0..<columns {
        for row in 0..<rows { values[row * columns + column] = try cursor.float(span, file) }
      }
    }
    guard cursor.nextToken(span) == nil else {
      throw .error("goes on after the last entry", at: cursor.location(file))
    }
    return Tensor(shape: shape, values: values)
  }

  /// Writes a blob in array form with as many digits as bring back the same float32 values.
  static func write(_ tensor: Tensor, to path: String) throws(Diagnostic) {
    let (rows, columns) = matrix(of: tensor.shape)
    try WholeFile.create(path) { handle in
      var text = Array("%%MatrixMarket matrix array real general\n\(rows) \(columns)\n".utf8)
      for column in 0..<columns {
        for row in 0..<rows {
          let digits = tensor.values[row * columns + column].description.utf8
          // 20 wide, as SSL's Caffe writes it.
          text.append(
            contentsOf: repeatElement(UInt8(ascii: " "), count: max(0, 20 - digits.count)))
          text.append(contentsOf: digits)
          text.append(UInt8(ascii: "\n"))
        }
        if text.count > 1 << 20 {
          try handle.write(contentsOf: text)
          text.removeAll(keepingCapacity: true)
        }
      }
      try handle.write(contentsOf: text)
    }
  }

  private static func matrix(of shape: Shape) -> (rows: Int, columns: Int) {
    let rows = shape.extents.first ?? 1
    return (rows, shape.count / rows)
  }
}

/// A place in the text, from which numbers are read.
private struct Cursor {
  var offset = 0
  var line = 1

  func location(_ file: String) -> SourceLocation {
    SourceLocation(file: file, line: line, column: 1)
  }

  private func byte(_ bytes: RawSpan) -> UInt8? {
    offset < bytes.byteCount ? bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) : nil
  }

  private mutating func advance(_ byte: UInt8) {
    offset += 1
    if byte == UInt8(ascii: "\n") { line += 1 }
  }

  /// The first line with single spaces, at most 200 bytes of it; the cursor stays in it.
  mutating func headerLine(_ bytes: RawSpan) -> String {
    var text: [UInt8] = []
    while let next = byte(bytes), next != UInt8(ascii: "\n"), text.count < 200 {
      text.append(next == UInt8(ascii: "\t") || next == UInt8(ascii: "\r") ? 0x20 : next)
      offset += 1
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Steps over blank lines and lines that start with %.
  mutating func skipComments(_ bytes: RawSpan) {
    while let next = byte(bytes) {
      if next == UInt8(ascii: "%") {
        while let rest = byte(bytes), rest != UInt8(ascii: "\n") { advance(rest) }
      } else if next <= 0x20 {
        advance(next)
      } else {
        return
      }
    }
  }

  /// The next word, up to 64 bytes long; nil at the end.
  mutating func nextToken(_ bytes: RawSpan) -> String? {
    while let next = byte(bytes), next <= 0x20 { advance(next) }
    let first = offset
    while let next = byte(bytes), next > 0x20, offset - first < 64 { offset += 1 }
    guard offset > first else { return nil }
    return bytes.extracting(first..<offset).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  mutating func integer(_ bytes: RawSpan, _ what: String, _ file: String)
    throws(Diagnostic) -> Int
  {
    guard let token = nextToken(bytes) else {
      throw .error("ends where \(what) is expected", at: location(file))
    }
    guard let value = Int(token), value >= 0 else {
      throw .error("\(Spelling.quoted(token)) where \(what) is expected", at: location(file))
    }
    return value
  }

  mutating func float(_ bytes: RawSpan, _ file: String) throws(Diagnostic) -> Float {
    guard let token = nextToken(bytes) else {
      throw .error("ends where a value is expected", at: location(file))
    }
    guard let value = Float(token) else {
      throw .error("\(Spelling.quoted(token)) where a value is expected", at: location(file))
    }
    return value
  }
}
