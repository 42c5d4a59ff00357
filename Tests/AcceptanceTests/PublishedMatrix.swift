import CZlib
import Foundation
import Testing

/// A weight matrix as published in a compressed Matrix Market file, read here by means of zlib alone and counted
/// by the definitions: what sparsec says about the same weights is compared with this.
struct PublishedMatrix {
  let rows: Int
  let columns: Int
  private let isNonzero: [Bool]

  /// - Parameter path: a .weight.gz, `coordinate real general`.
  init(contentsOf path: String) throws {
    let packed = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let text = String(decoding: try Self.inflate(packed), as: UTF8.self)
    var lines = text.split(separator: "\n").drop { $0.hasPrefix("%") }
    try #require(text.hasPrefix("%%MatrixMarket matrix coordinate real general"))
    let first = lines.popFirst()
    let head = try #require(first).split(separator: " ").compactMap { Int($0) }
    try #require(head.count == 3 && lines.count == head[2])
    (rows, columns) = (head[0], head[1])
    var isNonzero = [Bool](repeating: false, count: head[0] * head[1])
    for line in lines {
      let words = line.split(separator: " ")
      let row = try #require(Int(words[0]))
      let column = try #require(Int(words[1]))
      if try #require(Double(words[2])) != 0 {
        isNonzero[(row - 1) * head[1] + column - 1] = true
      }
    }
    self.isNonzero = isNonzero
  }

  /// The content of a gzip file.
  private static func inflate(_ packed: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    // 16: a gzip header.
    let started = inflateInit2_(
      &stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    try #require(started == Z_OK)
    defer { inflateEnd(&stream) }
    var result: [UInt8] = []
    var source = packed
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    var status = Z_OK
    source.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(source.count)
      while status == Z_OK {
        chunk.withUnsafeMutableBufferPointer { chunk in
          stream.next_out = chunk.baseAddress
          stream.avail_out = UInt32(chunk.count)
          status = CZlib.inflate(&stream, Z_NO_FLUSH)
        }
        result += chunk.prefix(chunk.count - Int(stream.avail_out))
      }
    }
    try #require(status == Z_STREAM_END)
    return result
  }

  /// Rectangles of a group's matrix that hold only zeros, and how many rectangles there are.
  ///
  /// - Parameters:
  ///   - group: of `groups` equal bands of rows.
  ///   - height: rows of a rectangle; nil for all of the group.
  ///   - width: columns of a rectangle; nil for all.
  func zeroBlocks(
    group: Int, of groups: Int, height: Int?, width: Int?
  ) -> (zero: Int, total: Int) {
    let band = rows / groups
    let (height, width) = (height ?? band, width ?? columns)
    var result = (zero: 0, total: 0)
    for top in stride(from: group * band, to: (group + 1) * band, by: height) {
      for left in stride(from: 0, to: columns, by: width) {
        let isZero = (top..<min(top + height, (group + 1) * band)).allSatisfy { row in
          !isNonzero[row * columns + left..<row * columns + min(left + width, columns)]
            .contains(true)
        }
        result.zero += isZero ? 1 : 0
        result.total += 1
      }
    }
    return result
  }
}
