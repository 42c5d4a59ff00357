import IR

/// What a window sees of an image whose positions lie in classes, by class of the window's own position.
struct WindowView {
  /// Classes of the window's positions, which are the positions of the output.
  let positions: PositionClasses
  /// For every axis and class, the class of the input position under each tap; nil beyond the image.
  private let taps: [[[Int?]]]
  /// For every axis and class, how far the window reaches, padding included (average pooling divides by it).
  private let reaches: [[Int]]
  private let inputCounts: [Int]

  /// Windows that see more than this, over all classes of positions, are not looked through: nobody's network
  /// has them, and a file of a few hundred bytes could ask for all memory.
  static let mostTaps = 1 << 22

  /// What is under the taps at one position along one axis.
  struct Sight: Hashable {
    var taps: [Int?]
    var reach = 0
  }

  /// - Parameters:
  ///   - extents: the output's spatial extents.
  ///   - sizes: per axis the most taps of a window.
  ///   - sources: for an axis and an output position, the input positions under the taps, nil beyond the
  ///     image, and the window's reach.
  /// - Returns: nil if there would be more than `mostTaps`.
  init?(
    over input: PositionClasses, extents: [Int], sizes: [Int],
    sources: (_ axis: Int, _ position: Int) -> Sight
  ) {
    guard zip(extents, sizes).allSatisfy({ Self.isSeen([$0, $1]) }) else { return nil }
    let sights = extents.indices.map { axis in
      (0..<extents[axis]).map { position in
        var sight = sources(axis, position)
        sight.taps = sight.taps.map { $0.map { input.axes[axis][$0] } }
        return sight
      }
    }
    positions = PositionClasses(keys: sights)
    guard Self.isSeen(positions.counts + sizes) else { return nil }
    inputCounts = input.counts
    let members = zip(sights, positions.axes).map { sights, numbers in
      var seen = 0
      return zip(sights, numbers).compactMap { sight, number in
        guard number == seen else { return nil as Sight? }
        seen += 1
        return sight
      }
    }
    taps = members.map { $0.map(\.taps) }
    reaches = members.map { $0.map(\.reach) }
  }

  /// Whether a table of such extents is small enough.
  private static func isSeen(_ extents: [Int]) -> Bool {
    var count = 1
    for extent in extents {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= mostTaps else { return false }
      count = product
    }
    return true
  }

  /// The window of a convolution or of a pooling without ceil-mode edges.
  init?(_ window: Window, over input: PositionClasses, extents: [Int]) {
    self.init(over: input, extents: extents, sizes: window.kernel) { axis, position in
      let start = position * window.stride[axis] - window.pad[axis]
      return Sight(
        taps: (0..<window.kernel[axis]).map { tap in
          let source = start + tap * window.dilation[axis]
          return input.axes[axis].indices.contains(source) ? source : nil
        })
    }
  }

  /// The window of a deconvolution, seen from the output: which input position each tap brings here.
  init?(transposed window: Window, over input: PositionClasses, extents: [Int]) {
    self.init(over: input, extents: extents, sizes: window.kernel) { axis, position in
      Sight(
        taps: (0..<window.kernel[axis]).map { tap in
          let distance = position + window.pad[axis] - tap * window.dilation[axis]
          let (source, rest) = distance.quotientAndRemainder(dividingBy: window.stride[axis])
          return rest == 0 && input.axes[axis].indices.contains(source) ? source : nil
        })
    }
  }

  /// For each class of output positions, the classes of the input under all taps, row-major; nil beyond the
  /// image.
  func classesUnderTaps() -> [[Int?]] {
    classCombinations().map { numbers in
      numbers.indices.reduce([0]) { places, axis in
        places.flatMap { place in
          taps[axis][numbers[axis]].map { tap in
            place.flatMap { place in tap.map { place * inputCounts[axis] + $0 } }
          }
        }
      }
    }
  }

  /// For each class of output positions the product of the window's reaches.
  func areas() -> [Int] {
    classCombinations().map { numbers in
      numbers.indices.reduce(1) { $0 * reaches[$1][numbers[$1]] }
    }
  }

  private func classCombinations() -> [[Int]] {
    positions.counts.reduce([[]]) { lists, count in
      lists.flatMap { list in (0..<count).map { list + [$0] } }
    }
  }
}
