import COneDNN
import IR

/// How the elements of a blob lie in memory. Blobs of other than four axes [N, C, H, W] are always plain.
///
/// No format has padding: blocks of channels are used only where the channels divide by them. So a function of
/// single elements may run over the memory of any format.
enum BlobFormat: Hashable, Sendable {
  /// Row-major.
  case plain
  /// [N, H, W, C]
  case channelsLast
  /// [N, C / 8, H, W, 8]
  case blocked8
  /// [N, C / 16, H, W, 16]
  case blocked16

  /// As the primitives name it.
  var primitive: dnn_format {
    switch self {
    case .plain: dnn_plain
    case .channelsLast: dnn_channels_last
    case .blocked8: dnn_blocked8
    case .blocked16: dnn_blocked16
    }
  }

  /// How many channels of one pixel lie together.
  func innerChannels(of channels: Int) -> Int {
    switch self {
    case .plain: 1
    case .channelsLast: channels
    case .blocked8: 8
    case .blocked16: 16
    }
  }

  /// The blocks of channels that the machine's vectors like; nil if a number of channels does not divide by it.
  static func blocked(channels: [Int]) -> BlobFormat? {
    func divides(_ width: Int) -> Bool { channels.allSatisfy { $0 % width == 0 } }
    if dnn_vector_width() == 16, divides(16) { return .blocked16 }
    return divides(8) ? .blocked8 : nil
  }
}

extension dnn_shape {
  /// - Precondition: at most `dnn_max_axes` extents.
  init(_ extents: [Int]) {
    self.init()
    axes = Int32(extents.count)
    withUnsafeMutableBytes(of: &self.extents) { bytes in
      let list = bytes.bindMemory(to: Int64.self)
      for (index, extent) in extents.enumerated() { list[index] = Int64(extent) }
    }
  }

  /// The shape of a blob; a scalar counts as a vector of one element.
  init(_ shape: Shape) { self.init(shape.axes == 0 ? [1] : shape.extents) }
}
