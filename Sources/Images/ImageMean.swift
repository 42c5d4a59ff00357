/// What is subtracted from every picture. Channels are always blue, green, red (or the one gray).
public enum ImageMean: Codable, Hashable, Sendable {
  case none
  /// One value for each channel, or one for all. Three values fit a one-channel net too: it takes
  /// their luminance, as it does of the picture.
  case channels([Float])
  /// A picture of its own, `channels * height * width` values in planes.
  ///
  /// It is read at its own centre crop, which is the crop's place in the source picture if both
  /// have the same size (Caffe's rule); a mean as large as the crop is read as it is.
  case planes(channels: Int, height: Int, width: Int, values: [Float])

  /// The mean in an array, as found in a `.npy` or `.binaryproto` file.
  ///
  /// Shapes C, C x 1 x 1 and C x H x W, each also behind a leading 1.
  public init(shape: [Int], values: [Float]) throws(PreprocessingError) {
    let extents = shape.count == 4 && shape[0] == 1 ? Array(shape.dropFirst()) : shape
    var count = 1
    for extent in extents {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflow else {
        throw .unsupportedMeanShape(shape, values: values.count)
      }
      count = product
    }
    guard count == values.count else {
      throw .unsupportedMeanShape(shape, values: values.count)
    }
    if extents.count == 1 || (extents.count == 3 && extents[1] == 1 && extents[2] == 1) {
      self = .channels(values)
    } else if extents.count == 3 {
      self = .planes(
        channels: extents[0], height: extents[1], width: extents[2], values: values)
    } else {
      throw .unsupportedMeanShape(shape, values: values.count)
    }
  }

  /// The mean in a text such as `104,117,123`; nil if that is not one or three numbers.
  public init?(channelValues text: String) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { part in
      Float(part.drop { $0 == " " }.prefix { $0 != " " })
    }
    guard values.count == parts.count, values.count == 1 || values.count == 3 else { return nil }
    self = .channels(values)
  }

  func check(channels: Int, height: Int, width: Int) throws(PreprocessingError) {
    switch self {
    case .none: break
    case .channels(let values):
      guard values.count == 1 || values.count == 3 else {
        throw .meanChannels(values.count, net: channels)
      }
      guard values.allSatisfy(\.isFinite) else { throw .meanNotFinite }
    case .planes(let meanChannels, let meanHeight, let meanWidth, let values):
      guard meanChannels == channels else { throw .meanChannels(meanChannels, net: channels) }
      guard meanHeight >= height, meanWidth >= width else {
        throw .meanTooSmall(
          height: meanHeight, width: meanWidth, netHeight: height, netWidth: width)
      }
      let (plane, overflow) = meanHeight.multipliedReportingOverflow(by: meanWidth)
      let (count, overflows) = plane.multipliedReportingOverflow(by: meanChannels)
      guard !overflow, !overflows, values.count == count else {
        throw .unsupportedMeanShape(
          [meanChannels, meanHeight, meanWidth], values: values.count)
      }
      guard values.allSatisfy(\.isFinite) else { throw .meanNotFinite }
    }
  }
}
