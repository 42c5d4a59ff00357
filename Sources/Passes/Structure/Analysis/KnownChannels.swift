import IR

/// What is known of a value's channels (axis 1) before any image is seen.
struct KnownChannels: Hashable {
  /// Classes of positions, the same for all channels.
  var positions: PositionClasses
  /// For every channel its content per class of positions; nil if it depends on the network's input.
  /// Known content is finite.
  var channels: [[Float]?]

  /// Keeps content that is finite, and joins classes that need not be told apart; nil if nothing is known.
  init?(positions: PositionClasses, channels: [[Float]?]) {
    let finite = channels.map { content in
      content.flatMap { $0.allSatisfy(\.isFinite) ? $0 : nil }
    }
    let rows = finite.compactMap(\.self)
    guard !rows.isEmpty else { return nil }
    let (merged, here) = positions.merged(where: rows)
    self.positions = merged
    self.channels = finite.map { content in content.map { content in here.map { content[$0] } } }
  }

  /// Channels that are one number each, for a value of `shape`; nil if nothing is known.
  init?(uniform numbers: [Float?], shape: Shape) {
    self.init(
      positions: PositionClasses(uniform: shape), channels: numbers.map { $0.map { [$0] } })
  }

  /// All channels of a value of `shape` each of whose items is `item`.
  init?(item: Tensor, shape: Shape) {
    let area = shape.count(from: 2)
    self.init(
      positions: PositionClasses(keys: shape.extents.dropFirst(2).map { Array(0..<$0) }),
      channels: (0..<shape[1]).map { Array(item.values[$0 * area..<($0 + 1) * area]) })
  }

  /// Whether every channel is known.
  var isComplete: Bool { !channels.contains(nil) }

  /// How many channels are known, of those that `isCounted` accepts.
  func knownCount(where isCounted: (Int) -> Bool = { _ in true }) -> Int {
    channels.indices.count { channels[$0] != nil && isCounted($0) }
  }

  /// The one number that fills a channel; nil if it is unknown, or differs from place to place.
  func uniform(_ channel: Int) -> Float? {
    guard let content = channels[channel], content.allSatisfy({ $0 == content[0] }) else {
      return nil
    }
    return content[0]
  }

  /// Every known number through a function of the channel and the number.
  func map(_ body: (Int, Float) -> Float) -> KnownChannels? {
    KnownChannels(
      positions: positions,
      channels: channels.enumerated().map { channel, content in
        content.map { $0.map { body(channel, $0) } }
      })
  }

  /// The content of one item, channels and positions row-major; unknown channels are zero.
  func item() -> [Float] {
    let classes = positions.classOfPosition
    return channels.flatMap { content in
      classes.map { content?[$0] ?? 0 }
    }
  }

  /// Several values' channels over common classes of positions: per value, per channel the content.
  static func align(_ values: [KnownChannels?], shape: Shape)
    -> (positions: PositionClasses, contents: [[[Float]?]?])
  {
    var positions = PositionClasses(uniform: shape)
    for value in values {
      if let value { positions = positions.refined(with: value.positions).0 }
    }
    let contents = values.map { value in
      value.map { value in
        let there = positions.refined(with: value.positions).there
        return value.channels.map { content in content.map { content in there.map { content[$0] } }
        }
      }
    }
    return (positions, contents)
  }
}
