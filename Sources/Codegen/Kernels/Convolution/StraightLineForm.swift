/// The shape of hard-coded blocks, and their instructions, for one instruction set.
///
/// A block has `outputs` filters times `vectors` vectors of positions in registers. It takes four arguments, as
/// `hardcoded_code` in convolution_hardcoded.h: inputs in %rdi, values in %rsi, biases in %rdx, sums in %rcx.
struct StraightLineForm {
  /// What one column of a block does.
  struct Column {
    /// Bytes from position 0 of the input.
    var offset: Int
    /// The filters, by place in the block, that have a weight for it.
    var readers: [Int]
  }

  let outputs: Int
  let vectors: Int
  private let lanes: Int

  init(_ target: Target) {
    lanes = target.lanes
    // As many sums as registers hold beside the inputs and a value: 6 x 2 was measured best on AVX2, beside
    // 12 x 1 and 4 x 3; 14 x 2 for AVX-512 is its like, and was not measured.
    (outputs, vectors) = lanes == 16 ? (14, 2) : (6, 2)
  }

  /// Positions that a block computes at a time.
  var positions: Int { vectors * lanes }

  /// Bytes of code of a layer, nearly.
  func bytes(nonzeros: Int, columns: Int) -> Int {
    lanes == 16
      ? nonzeros * 8 * vectors + columns * 10 * vectors
      : nonzeros * (6 + 5 * vectors) + columns * 8 * vectors
  }

  /// Cycles of a layer. For AVX2 fitted to nine layers measured on AMD's third Zen generation (errors up to some
  /// 30 %); for AVX-512 an estimate that follows published figures of such kernels, never measured.
  func cycles(nonzeros: Int, columns: Int, blocks: Int, tiles: Int, bytes: Int) -> Double {
    let (perNonzero, perColumn) = lanes == 16 ? (1.05, 1.2) : (0.6, 2.5)
    // Where many filters share an input, multiply-adds are the limit.
    let products = Double(nonzeros) * 1.15 + Double(columns) * 0.5
    let tile =
      max(Double(nonzeros) * perNonzero + Double(columns) * perColumn, products)
      + Double(blocks) * 25 * Double(vectors)
    // Code comes from memory once.
    return tile * Double(tiles) + Double(bytes) * 0.03 + 1000
  }

  /// The instructions of one block.
  func code(filters: Int, columns: [Column]) -> String {
    var lines: [String] = []
    for filter in 0..<filters {
      lines.append("vbroadcastss \(4 * filter)(%rdx), \(sum(filter, 0))")
      for vector in 1..<vectors {
        lines.append("vmovaps \(sum(filter, 0)), \(sum(filter, vector))")
      }
    }
    var values = ValueStream(lanes: lanes)
    for column in columns { append(column, &values, to: &lines) }
    for filter in 0..<filters {
      for vector in 0..<vectors {
        let place = 4 * lanes * (filter * vectors + vector)
        lines.append("vmovups \(sum(filter, vector)), \(place)(%rcx)")
      }
    }
    // No vzeroupper: the caller is compiled for the same instructions.
    return lines.joined(separator: "\n") + "\nret\n"
  }

  private func append(_ column: Column, _ values: inout ValueStream, to lines: inout [String]) {
    func address(_ vector: Int) -> String { "\(column.offset + 4 * lanes * vector)(%rdi)" }
    // The input of a single weight need not be loaded by itself, except where the weight is the operand
    // in memory.
    let loads = column.readers.count > 1 || lanes == 16
    if loads {
      for vector in 0..<vectors { lines.append("vmovups \(address(vector)), \(input(vector))") }
    }
    for filter in column.readers {
      let (place, step) = values.next()
      if let step { lines.append(step) }
      if lanes == 16 {
        for vector in 0..<vectors {
          lines.append("vfmadd231ps \(place){1to16}, \(input(vector)), \(sum(filter, vector))")
        }
      } else {
        lines.append("vbroadcastss \(place), \(value)")
        for vector in 0..<vectors {
          let operand = loads ? input(vector) : address(vector)
          lines.append("vfmadd231ps \(operand), \(value), \(sum(filter, vector))")
        }
      }
    }
  }

  private func sum(_ filter: Int, _ vector: Int) -> String {
    register(filter * vectors + vector)
  }

  private func input(_ vector: Int) -> String { register(outputs * vectors + vector) }

  private var value: String { register(outputs * vectors + vectors) }

  private func register(_ number: Int) -> String { lanes == 16 ? "%zmm\(number)" : "%ymm\(number)" }
}

/// Walks the values: addresses are one byte long as far as possible.
private struct ValueStream {
  private var count = 0
  private let perWindow: Int

  init(lanes: Int) {
    // One byte counts single bytes, or with AVX-512 whole values.
    perWindow = lanes == 16 ? 127 : 31
  }

  /// The next value's address, and the instruction that has to come before its use.
  mutating func next() -> (address: String, step: String?) {
    var step: String?
    if count > perWindow {
      step = "addq $\(4 * count), %rsi"
      count = 0
    }
    defer { count += 1 }
    return ("\(4 * count)(%rsi)", step)
  }
}
