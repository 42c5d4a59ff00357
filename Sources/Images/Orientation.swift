/// How a camera was held: what has to be done to the stored pixels to see them upright.
///
/// The raw values are those of the EXIF tag `Orientation` (CIPA DC-008, tag 0x0112).
public enum Orientation: Int, Hashable, Sendable, CaseIterable {
  case upright = 1
  case mirrored = 2
  case turnedHalf = 3
  case flipped = 4
  case transposed = 5
  /// Shown upright after a quarter turn clockwise.
  case turnClockwise = 6
  case transversed = 7
  /// Shown upright after a quarter turn counterclockwise.
  case turnCounterclockwise = 8

  /// Rows become columns.
  var swapsSides: Bool { rawValue >= 5 }

  /// Reads the tag out of an EXIF block (a TIFF structure that starts with its byte order mark).
  ///
  /// Cameras and editors write all kinds of rubbish here; anything but 1...8 counts as upright.
  public init(exif bytes: some RandomAccessCollection<UInt8>) {
    self = EXIFBlock(bytes: Array(bytes)).orientation ?? .upright
  }
}

/// As much of TIFF as it takes to find one tag of the first directory. No read leaves the bytes.
private struct EXIFBlock {
  let bytes: [UInt8]

  var orientation: Orientation? {
    let bigEndian: Bool
    switch bytes.prefix(2) {
    case [0x4D, 0x4D]: bigEndian = true
    case [0x49, 0x49]: bigEndian = false
    default: return nil
    }
    guard number(at: 2, bytes: 2, bigEndian) == 42,
      let directory = number(at: 4, bytes: 4, bigEndian),
      let entries = number(at: directory, bytes: 2, bigEndian)
    else { return nil }
    for entry in 0..<entries {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, bytes: 2, bigEndian) else { return nil }
      guard tag == 0x0112 else { continue }
      // Type 3 is a 16-bit number, which stands in the entry itself.
      guard number(at: start + 2, bytes: 2, bigEndian) == 3,
        let value = number(at: start + 8, bytes: 2, bigEndian)
      else { return nil }
      return Orientation(rawValue: value)
    }
    return nil
  }

  private func number(at start: Int, bytes count: Int, _ bigEndian: Bool) -> Int? {
    guard start >= 0, start + count <= bytes.count else { return nil }
    let digits = bytes[start..<start + count]
    return bigEndian
      ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}

extension Image {
  /// The picture as it is meant to be seen.
  public func turned(upright orientation: Orientation) -> Image {
    if orientation == .upright { return self }
    let (outWidth, outHeight) = orientation.swapsSides ? (height, width) : (width, height)
    let count = color.sampleCount
    // Where the sample of output (0, 0) lies, and how far one step right or down moves from it.
    let right = count
    let down = width * count
    let (lastColumn, lastRow) = ((width - 1) * right, (height - 1) * down)
    let (start, columnStep, rowStep) =
      switch orientation {
      case .upright: (0, right, down)
      case .mirrored: (lastColumn, -right, down)
      case .turnedHalf: (lastColumn + lastRow, -right, -down)
      case .flipped: (lastRow, right, -down)
      case .transposed: (0, down, right)
      case .turnClockwise: (lastRow, -down, right)
      case .transversed: (lastColumn + lastRow, -down, -right)
      case .turnCounterclockwise: (lastColumn, down, -right)
      }
    let turned = [UInt8](unsafeUninitializedCapacity: samples.count) { target, filled in
      samples.withUnsafeBufferPointer { source in
        var next = 0
        for y in 0..<outHeight {
          var from = start + y * rowStep
          for _ in 0..<outWidth {
            for sample in 0..<count { target[next + sample] = source[from + sample] }
            next += count
            from += columnStep
          }
        }
      }
      filled = samples.count
    }
    return Image(width: outWidth, height: outHeight, color: color, samples: turned)
  }
}
