/// Where each output position of one axis reads: two neighbouring inputs and their blend.
///
/// Bilinear with half-pixel centres and no antialiasing: output `i` of `outputCount` lies at
/// `(i + 0.5) * inputCount / outputCount - 0.5` of the input, clamped to its first and last pixel.
struct ResampledAxis {
  struct Tap {
    var lower: Int
    var upper: Int
    /// The share of `upper`.
    var blend: Float
  }

  let taps: [Tap]
  /// Every tap is one input pixel, unblended.
  let isCopy: Bool

  /// The taps of the outputs in `range`; only these cost anything, however long the axis is.
  init(inputCount: Int, outputCount: Int, range: Range<Int>) {
    isCopy = inputCount == outputCount
    if isCopy {
      taps = range.map { Tap(lower: $0, upper: $0, blend: 0) }
      return
    }
    let scale = Double(inputCount) / Double(outputCount)
    taps = range.map { index in
      let position = min(max((Double(index) + 0.5) * scale - 0.5, 0), Double(inputCount - 1))
      let lower = Int(position)
      return Tap(
        lower: lower, upper: min(lower + 1, inputCount - 1),
        blend: Float(position - Double(lower)))
    }
  }
}

extension Image {
  /// The picture stretched to the given sides, bilinear, without antialiasing (`INTER_LINEAR`).
  public func resized(width newWidth: Int, height newHeight: Int) -> Image {
    precondition(newWidth > 0 && newHeight > 0, "an image has at least one pixel")
    return resampled(
      columns: ResampledAxis(inputCount: width, outputCount: newWidth, range: 0..<newWidth),
      rows: ResampledAxis(inputCount: height, outputCount: newHeight, range: 0..<newHeight))
  }

  /// Reads the picture through the taps of both axes; results are rounded to 8 bits, halves up.
  func resampled(columns: ResampledAxis, rows: ResampledAxis) -> Image {
    let count = color.sampleCount
    let rowCount = columns.taps.count * count
    let total = rowCount * rows.taps.count
    let samples = [UInt8](unsafeUninitializedCapacity: total) { target, filled in
      self.samples.withUnsafeBufferPointer { source in
        columns.taps.withUnsafeBufferPointer { columnTaps in
          for (y, row) in rows.taps.enumerated() {
            let line = UnsafeMutableBufferPointer(
              rebasing: target[y * rowCount..<(y + 1) * rowCount])
            if columns.isCopy && rows.isCopy {
              let start = (row.lower * width + columnTaps[0].lower) * count
              _ = line.update(fromContentsOf: source[start..<start + rowCount])
            } else {
              blendLine(from: source, row: row, columns: columnTaps, into: line)
            }
          }
        }
      }
      filled = total
    }
    return Image(
      width: columns.taps.count, height: rows.taps.count, color: color, samples: samples)
  }

  private func blendLine(
    from source: UnsafeBufferPointer<UInt8>, row: ResampledAxis.Tap,
    columns: UnsafeBufferPointer<ResampledAxis.Tap>, into line: UnsafeMutableBufferPointer<UInt8>
  ) {
    let count = color.sampleCount
    let upperRow = row.lower * width * count
    let lowerRow = row.upper * width * count
    var next = 0
    for column in columns {
      let (left, right) = (column.lower * count, column.upper * count)
      for sample in 0..<count {
        let above = blended(
          source[upperRow + left + sample], source[upperRow + right + sample], column.blend)
        let below = blended(
          source[lowerRow + left + sample], source[lowerRow + right + sample], column.blend)
        // Blends stay within 0...255, so that adding a half and cutting off is rounding.
        line[next + sample] = UInt8(above + (below - above) * row.blend + 0.5)
      }
      next += count
    }
  }

  @inline(__always)
  private func blended(_ first: UInt8, _ second: UInt8, _ share: Float) -> Float {
    let start = Float(first)
    return start + (Float(second) - start) * share
  }
}
