import IR

/// The positions of an image in classes, per spatial axis, within which something is the same everywhere.
///
/// A constant behind zero padding is the usual case: a handful of rows and columns near the border, and one
/// class for all of the middle. Every function of the position can be written down so; at worst each
/// position is a class of its own.
struct PositionClasses: Hashable {
  /// For every spatial axis the class of each position; classes are numbered by their first position.
  private(set) var axes: [[Int]]
  /// The number of classes along each axis.
  private(set) var counts: [Int]

  /// One class for the whole image.
  init(uniform shape: Shape) {
    axes = shape.extents.dropFirst(2).map { [Int](repeating: 0, count: $0) }
    counts = axes.map { _ in 1 }
  }

  /// Classes by number, as a BorderBias has them.
  init(numbered axes: [[Int]]) {
    self.axes = axes
    counts = axes.map { ($0.max() ?? -1) + 1 }
  }

  /// Positions with equal keys form a class.
  init<Key: Hashable>(keys: [[Key]]) {
    var counts: [Int] = []
    axes = keys.map { axis in
      var numbers: [Key: Int] = [:]
      let classes = axis.map { key in
        let number = numbers[key] ?? numbers.count
        numbers[key] = number
        return number
      }
      counts.append(numbers.count)
      return classes
    }
    self.counts = counts
  }

  /// The number of classes of positions: of combinations of classes of coordinates.
  var count: Int { counts.reduce(1, *) }

  var isUniform: Bool { count == 1 }

  /// For every position, row-major, its class.
  var classOfPosition: [Int] { Self.product(axes, counts) }

  /// The class with the most positions: the middle of the image.
  var largest: Int {
    let places = zip(axes, counts).map { axis, count in
      var sizes = [Int](repeating: 0, count: count)
      for number in axis { sizes[number] += 1 }
      return [sizes.indices.max { sizes[$0] < sizes[$1] } ?? 0]
    }
    return Self.product(places, counts)[0]
  }

  /// The coarsest classes that respect both, and for each of them its class here and there.
  func refined(with other: PositionClasses) -> (PositionClasses, here: [Int], there: [Int]) {
    if self == other { return (self, Array(0..<count), Array(0..<count)) }
    let pairs = zip(axes, other.axes).map { zip($0, $1).map { Pair(here: $0, there: $1) } }
    let refined = PositionClasses(keys: pairs)
    let members = refined.firstPositions
    let here = zip(pairs, members).map { pairs, members in members.map { pairs[$0].here } }
    let there = zip(pairs, members).map { pairs, members in members.map { pairs[$0].there } }
    return (
      refined, Self.product(here, counts), Self.product(there, other.counts)
    )
  }

  /// The classes that are left when those are joined in which all `rows` agree, and for each of them a class
  /// here. Each row has a value per class.
  func merged(where rows: [[Float]]) -> (PositionClasses, here: [Int]) {
    if isUniform { return (self, [0]) }
    var keys: [[[Float]]] = []
    for axis in axes.indices {
      // What the table holds for one class of this axis, over all other axes and all rows.
      let slices = (0..<counts[axis]).map { number in
        let places = Self.product(
          counts.indices.map { $0 == axis ? [number] : Array(0..<counts[$0]) }, counts)
        return rows.flatMap { row in places.map { row[$0] } }
      }
      keys.append(axes[axis].map { slices[$0] })
    }
    let merged = PositionClasses(keys: keys)
    let here = zip(axes, merged.firstPositions).map { axis, members in members.map { axis[$0] } }
    return (merged, Self.product(here, counts))
  }

  /// For every axis the first position of each class.
  private var firstPositions: [[Int]] {
    zip(axes, counts).map { axis, count in
      var first = [Int](repeating: -1, count: count)
      for (position, number) in axis.enumerated() where first[number] < 0 {
        first[number] = position
      }
      return first
    }
  }

  /// The places, in a row-major table of the extents `counts`, of all combinations of one number per axis.
  static func product(_ numbers: [[Int]], _ counts: [Int]) -> [Int] {
    zip(numbers, counts).reduce([0]) { places, axis in
      places.flatMap { place in axis.0.map { place * axis.1 + $0 } }
    }
  }

  private struct Pair: Hashable {
    var here: Int
    var there: Int
  }
}
