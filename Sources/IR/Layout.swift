/// How a value lies in memory.
public enum Layout: Hashable, Sendable {
  /// Row-major without gaps.
  case dense
  /// Planes with zeros around them.
  case planes(Halo)
  /// The padded image, split into stride x stride phases, so that a strided window reads contiguous rows.
  case phases(PhaseSplit)
}

/// Zeros stored around each plane (the last two axes) of a value.
///
/// Rows are `gap` floats apart; the gap serves as the right border of one row and the left border of the
/// next. A plane begins with one gap, `top` rows of zeros, then the image, then `bottom` rows of zeros and
/// one more gap. Element (0, 0, 0) is aligned to a cache line, and planes lie an odd number of cache lines
/// apart, so that rows of neighbouring planes do not compete for the same cache sets.
public struct Halo: Hashable, Sendable {
  public var top: Int
  public var bottom: Int
  public var gap: Int

  public init(top: Int, bottom: Int, gap: Int) {
    self.top = top
    self.bottom = bottom
    self.gap = gap
  }

  public static let none = Halo(top: 0, bottom: 0, gap: 0)

  /// The smallest halo that serves both.
  public func union(_ other: Halo) -> Halo {
    Halo(top: max(top, other.top), bottom: max(bottom, other.bottom), gap: max(gap, other.gap))
  }

  /// Whether this halo has all that `other` asks for.
  public func covers(_ other: Halo) -> Bool {
    top >= other.top && bottom >= other.bottom && gap >= other.gap
  }
}

/// The split of a padded image by a stride: phase (r, c) holds rows r, r + strideHeight… and columns
/// c, c + strideWidth… of the padded image, so that a window's taps read neighbours as neighbours.
///
/// Phases that no tap reads are left out.
public struct PhaseSplit: Hashable, Sendable {
  public var strideHeight: Int
  public var strideWidth: Int
  public var padHeight: Int
  public var padWidth: Int
  /// Phases per row index and per column index: at most the strides.
  public var phasesHeight: Int
  public var phasesWidth: Int
  /// Rows of each phase.
  public var rows: Int
  /// Columns of each phase, which is the row pitch.
  public var columns: Int

  /// The split for a two-dimensional window whose result is `height` x `width`.
  public init(for window: Window, height: Int, width: Int) {
    strideHeight = window.stride[0]
    strideWidth = window.stride[1]
    padHeight = window.pad[0]
    padWidth = window.pad[1]
    phasesHeight = min(window.stride[0], window.span(0))
    phasesWidth = min(window.stride[1], window.span(1))
    rows = height + (window.span(0) - 1) / window.stride[0]
    columns = width + (window.span(1) - 1) / window.stride[1]
  }

  /// Floats of one phase.
  public var phasePitch: Int { rows * columns }
}

/// A value's place in numbers, all in floats: element (plane, row, column) lies at
/// origin + plane * planePitch + row * rowPitch + column.
public struct Pitches: Hashable, Sendable {
  public var planes: Int
  public var height: Int
  public var width: Int
  public var rowPitch: Int
  public var planePitch: Int
  /// Distance from the beginning of the value's memory to element (0, 0, 0).
  public var origin: Int
  /// Floats that the value occupies.
  public var size: Int
}

extension Layout {
  /// Floats of a cache line.
  private static let lineFloats = 16

  /// The number of cache lines that hold `floats` floats.
  private static func lines(_ floats: Int) -> Int { (floats + lineFloats - 1) / lineFloats }

  /// The pitches of a value of `shape` in this layout.
  ///
  /// A phase split reports each phase as a plane. A shape with fewer than two axes is one row.
  public func pitches(of shape: Shape) -> Pitches {
    let width = shape.axes >= 1 ? shape[shape.axes - 1] : 1
    let height = shape.axes >= 2 ? shape[shape.axes - 2] : 1
    let planes = shape.count / (height * width)
    switch self {
    case .dense:
      return Pitches(
        planes: planes, height: height, width: width, rowPitch: width, planePitch: height * width,
        origin: 0, size: shape.count)
    case .planes(let halo):
      let rowPitch = width + halo.gap
      let lines = Self.lines(halo.gap + (halo.top + height + halo.bottom) * rowPitch)
      let planePitch = (lines | 1) * Self.lineFloats
      let origin = Self.lines(halo.gap + halo.top * rowPitch) * Self.lineFloats
      return Pitches(
        planes: planes, height: height, width: width, rowPitch: rowPitch, planePitch: planePitch,
        origin: origin, size: origin + planes * planePitch)
    case .phases(let split):
      let phases = planes * split.phasesHeight * split.phasesWidth
      return Pitches(
        planes: phases, height: split.rows, width: split.columns, rowPitch: split.columns,
        planePitch: split.rows * split.columns, origin: 0,
        size: phases * split.rows * split.columns)
    }
  }
}
