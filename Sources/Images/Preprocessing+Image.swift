extension Preprocessing {
  /// The net's input for one picture: `count` floats, channel planes one after the other.
  public func planes(of image: Image) throws(PreprocessingError) -> [Float] {
    try check()
    var planes = [Float](repeating: 0, count: count)
    var span = planes.mutableSpan
    try fill(&span, from: image)
    return planes
  }

  /// Writes the net's input for one picture into a buffer of exactly `count` floats.
  public func fill(
    _ planes: inout MutableSpan<Float>, from image: Image
  ) throws(PreprocessingError) {
    try check()
    guard planes.count == count else { throw .wrongCount(planes.count, expected: count) }
    let crop = centreCrop(of: image)
    planes.withUnsafeMutableBufferPointer { target in
      for channel in 0..<channels {
        let plane = UnsafeMutableBufferPointer(
          rebasing: target[channel * height * width..<(channel + 1) * height * width])
        copySamples(of: crop, channel: channel, into: plane)
        subtractMean(channel: channel, from: plane)
        if scale != 1 { for index in plane.indices { plane[index] *= scale } }
      }
    }
  }

  /// The resized picture's middle. Only the pixels that are kept get computed, so that a picture
  /// of extreme proportions costs no more than any other.
  func centreCrop(of image: Image) -> Image {
    let size = resizedSize(width: image.width, height: image.height)
    let (left, top) = ((size.width - width) / 2, (size.height - height) / 2)
    return image.resampled(
      columns: ResampledAxis(
        inputCount: image.width, outputCount: size.width, range: left..<left + width),
      rows: ResampledAxis(
        inputCount: image.height, outputCount: size.height, range: top..<top + height))
  }

  /// The size a picture is resized to; the longer side is rounded to the nearest, halves up.
  public func resizedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    // Sides are below 2^29 and shorterSide at most 2^16: nothing here overflows.
    let short = min(width, height)
    func scaled(_ side: Int) -> Int { (2 * side * shorterSide + short) / (2 * short) }
    return (scaled(width), scaled(height))
  }

  private func copySamples(
    of crop: Image, channel: Int, into plane: UnsafeMutableBufferPointer<Float>
  ) {
    crop.samples.withUnsafeBufferPointer { samples in
      switch crop.color {
      case .gray:
        for index in plane.indices { plane[index] = Float(samples[index]) }
      case .rgb where takesLuminance:
        for index in plane.indices {
          plane[index] = Self.luminance(
            red: Float(samples[3 * index]), green: Float(samples[3 * index + 1]),
            blue: Float(samples[3 * index + 2]))
        }
      case .rgb:
        let sample = channelOrder == .bgr ? 2 - channel : channel
        for index in plane.indices { plane[index] = Float(samples[3 * index + sample]) }
      }
    }
  }

  private func subtractMean(channel: Int, from plane: UnsafeMutableBufferPointer<Float>) {
    // Means are blue first, whatever the net's order.
    let meanChannel = channelOrder == .rgb && channels == 3 ? 2 - channel : channel
    switch mean {
    case .none: break
    case .channels(let values):
      let value =
        values.count == 1
        ? values[0]
        : channels == 1
          ? Self.luminance(red: values[2], green: values[1], blue: values[0])
          : values[meanChannel]
      for index in plane.indices { plane[index] -= value }
    case .planes(_, let meanHeight, let meanWidth, let values):
      let (left, top) = ((meanWidth - width) / 2, (meanHeight - height) / 2)
      values.withUnsafeBufferPointer { values in
        for y in 0..<height {
          let from = (meanChannel * meanHeight + top + y) * meanWidth + left
          for x in 0..<width { plane[y * width + x] -= values[from + x] }
        }
      }
    }
  }

  private var takesLuminance: Bool { channels == 1 || channelOrder == .gray }

  /// ITU-R BT.601's weights, as OpenCV and Pillow use them; not rounded.
  private static func luminance(red: Float, green: Float, blue: Float) -> Float {
    0.299 * red + 0.587 * green + 0.114 * blue
  }
}
