/// What happens to a picture on its way into a net: resize, crop, channel order, mean, scale.
///
/// In this order, as Caffe's users do it: the shorter side is resized to `shorterSide` (bilinear,
/// half-pixel centres, no antialiasing, rounded to 8 bits as every image tool does; not at all if
/// it already fits), the longer one to `floor(long * shorterSide / short + 0.5)`; `height` rows and
/// `width` columns are cut out at `floor((side - crop) / 2)`; channels are put in order; the mean
/// is subtracted; the difference is multiplied by `scale`.
public struct Preprocessing: Codable, Hashable, Sendable {
  /// Which colour goes into which channel of the net.
  public enum ChannelOrder: String, Codable, Hashable, Sendable, CaseIterable {
    /// Blue first: what Caffe's nets are trained on.
    case bgr
    /// Red first.
    case rgb
    /// Every channel gets the luminance.
    case gray
  }

  /// Channels of the net's input: 1 or 3. One channel takes the luminance, whatever the order.
  public var channels: Int
  /// Rows of the net's input.
  public var height: Int
  /// Columns of the net's input.
  public var width: Int
  /// What the shorter side of a picture becomes.
  public var shorterSide: Int
  public var channelOrder: ChannelOrder
  public var mean: ImageMean
  public var scale: Float

  /// How to fill an input of `channels` x `height` x `width` (1 or 3 channels, sides 1...65536).
  ///
  /// Without `shorterSide` a net whose longer side is 200 or more sees pictures of 256 pixels (or
  /// of its own size if that is larger), a smaller net sees them at its own size.
  public init(
    channels: Int, height: Int, width: Int, shorterSide: Int? = nil,
    channelOrder: ChannelOrder = .bgr, mean: ImageMean = .none, scale: Float = 1
  ) throws(PreprocessingError) {
    self.channels = channels
    self.height = height
    self.width = width
    self.shorterSide =
      shorterSide ?? Self.defaultShorterSide(height: height, width: width)
    self.channelOrder = channelOrder
    self.mean = mean
    self.scale = scale
    try check()
  }

  /// The default of `shorterSide` for a net's input.
  public static func defaultShorterSide(height: Int, width: Int) -> Int {
    let side = max(height, width)
    return side >= 200 ? max(256, side) : side
  }

  /// Floats that one picture becomes: `channels * height * width`.
  public var count: Int { channels * height * width }

  /// Says what cannot work; values read from a file need this before `count` or `fill`.
  public func check() throws(PreprocessingError) {
    guard channels == 1 || channels == 3 else { throw .unsupportedChannels(channels) }
    let sides = 1...65536
    guard sides.contains(height), sides.contains(width) else {
      throw .unsupportedSize(height: height, width: width)
    }
    guard sides.contains(shorterSide) else { throw .unsupportedResize(shorterSide) }
    guard shorterSide >= max(height, width) else {
      throw .resizedBelowCrop(shorterSide: shorterSide, height: height, width: width)
    }
    guard scale.isFinite else { throw .unsupportedScale(scale) }
    try mean.check(channels: channels, height: height, width: width)
  }
}

/// Why a preprocessing cannot work; prints as one line that says what to do.
public enum PreprocessingError: Error, Hashable, Sendable, CustomStringConvertible {
  case unsupportedChannels(Int)
  case unsupportedSize(height: Int, width: Int)
  case unsupportedResize(Int)
  case unsupportedScale(Float)
  case resizedBelowCrop(shorterSide: Int, height: Int, width: Int)
  case unsupportedMeanShape([Int], values: Int)
  case meanChannels(Int, net: Int)
  case meanTooSmall(height: Int, width: Int, netHeight: Int, netWidth: Int)
  case meanNotFinite
  /// The buffer to fill has another size than the net's input.
  case wrongCount(Int, expected: Int)

  public var description: String {
    switch self {
    case .unsupportedChannels(let channels):
      "a net input of \(channels) channels takes no images (1 or 3 do); give arrays instead"
    case .unsupportedSize(let height, let width):
      "a net input of \(height)x\(width) pixels takes no images (sides of 1 to 65536 do)"
    case .unsupportedResize(let side):
      "images cannot be resized to \(side) pixels; give a number from 1 to 65536"
    case .unsupportedScale(let scale):
      "images cannot be multiplied by \(scale); give a finite scale"
    case .resizedBelowCrop(let side, let height, let width):
      "images resized to \(side) pixels are smaller than the net's input of \(height)x\(width); "
        + "resize to \(max(height, width)) or more"
    case .unsupportedMeanShape(let shape, let values):
      "a mean of shape \(shape) with \(values) values is neither one value per channel nor "
        + "channels x height x width"
    case .meanChannels(let given, let net):
      "the mean has \(given) channel\(given == 1 ? "" : "s"), the net's input has \(net)"
    case .meanTooSmall(let height, let width, let netHeight, let netWidth):
      "the mean of \(height)x\(width) is smaller than the net's input of \(netHeight)x\(netWidth)"
    case .meanNotFinite: "the mean contains infinite values or NaN"
    case .wrongCount(let count, let expected):
      "a buffer of \(count) floats cannot take an image of \(expected)"
    }
  }
}
