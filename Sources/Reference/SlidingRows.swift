import IR

/// How a window's taps meet an image of any number of axes, row by row.
///
/// A row lies along the last spatial axis. All other axes are gone over once, here: for every row
/// of window positions there is the list of image rows that its taps fall on.
struct SlidingRows {
  /// A row of taps over a row of the image.
  struct Meeting {
    var imageRow: Int
    var tapRow: Int
  }

  /// One list per row of positions; taps over padding are not in it.
  let meetings: [[Meeting]]
  /// The lengths of a row of the image, of positions and of taps.
  let imageColumns: Int
  let positionColumns: Int
  let tapColumns: Int
  private let stride: Int
  private let pad: Int
  private let dilation: Int

  /// - Parameters:
  ///   - image: the image's spatial extents.
  ///   - positions: the numbers of window positions along them.
  init(_ window: Window, image: [Int], positions: [Int]) {
    if window.isPointwise {
      // Each position meets its own element; the whole image may as well be one row.
      self.init(Window(kernel: [1]), rowsOf: [image.reduce(1, *)], [positions.reduce(1, *)])
    } else {
      self.init(window, rowsOf: image, positions)
    }
  }

  private init(_ window: Window, rowsOf image: [Int], _ positions: [Int]) {
    let last = window.axes - 1
    imageColumns = image[last]
    positionColumns = positions[last]
    tapColumns = window.kernel[last]
    stride = window.stride[last]
    pad = window.pad[last]
    dilation = window.dilation[last]
    var places: [[Int]] = [[]]
    for axis in 0..<last {
      places = places.flatMap { place in (0..<positions[axis]).map { place + [$0] } }
    }
    meetings = places.map { place in
      var found = [Meeting(imageRow: 0, tapRow: 0)]
      for axis in 0..<last {
        found = found.flatMap { outer in
          (0..<window.kernel[axis]).compactMap { tap in
            let row =
              place[axis] * window.stride[axis] + tap * window.dilation[axis]
              - window.pad[axis]
            guard (0..<image[axis]).contains(row) else { return nil }
            return Meeting(
              imageRow: outer.imageRow * image[axis] + row,
              tapRow: outer.tapRow * window.kernel[axis] + tap)
          }
        }
      }
      return found
    }
  }

  /// The image column that tap column `tap` meets at position column 0; negative: it is padding.
  func offset(of tap: Int) -> Int { tap * dilation - pad }

  /// The distance in the image between neighbouring position columns.
  var step: Int { stride }

  /// The position columns at which tap column `tap` meets the image.
  func columns(of tap: Int) -> Range<Int> {
    // 0 <= x * stride + offset <= imageColumns - 1
    let offset = offset(of: tap)
    let first = offset >= 0 ? 0 : (-offset + stride - 1) / stride
    let room = imageColumns - 1 - offset
    let end = room < 0 ? 0 : min(positionColumns, room / stride + 1)
    return first < end ? first..<end : 0..<0
  }
}
