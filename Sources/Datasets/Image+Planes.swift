import Images

extension Image {
  /// Caffe's order of a picture's bytes: planes of blue, green and red, or of the one gray.
  ///
  /// - Parameter color: nil for the picture's own. Gray is the luminance, rounded.
  func planes(as color: Color?) -> [UInt8] {
    let (count, wanted) = (width * height, color ?? self.color)
    switch (self.color, wanted) {
    case (.gray, .gray): return samples
    case (.gray, .rgb): return samples + samples + samples
    case (.rgb, .gray):
      return (0..<count).map { pixel in
        // Weights of ITU-R BT.601 in 14 bits.
        let (red, green) = (Int(samples[3 * pixel]), Int(samples[3 * pixel + 1]))
        return UInt8((4899 * red + 9617 * green + 1868 * Int(samples[3 * pixel + 2]) + 8192) >> 14)
      }
    case (.rgb, .rgb):
      return [UInt8](unsafeUninitializedCapacity: 3 * count) { target, filled in
        samples.withUnsafeBufferPointer { source in
          for pixel in 0..<count {
            target[pixel] = source[3 * pixel + 2]
            target[count + pixel] = source[3 * pixel + 1]
            target[2 * count + pixel] = source[3 * pixel]
          }
        }
        filled = 3 * count
      }
    }
  }

  /// Channels, rows and columns of `planes(as:)`.
  func size(as color: Color?) -> PictureSize {
    PictureSize(channels: (color ?? self.color).sampleCount, height: height, width: width)
  }
}
