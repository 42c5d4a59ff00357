/// A decoded picture: 8 bits a sample, rows from the top, the samples of a pixel side by side.
public struct Image: Hashable, Sendable {
  /// What a pixel consists of.
  public enum Color: Int, Hashable, Sendable {
    /// One sample, its brightness.
    case gray = 1
    /// Red, green and blue, in this order.
    case rgb = 3

    /// Samples per pixel.
    public var sampleCount: Int { rawValue }
  }

  /// Columns, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  public let color: Color
  /// `height * width * color.sampleCount` samples.
  public let samples: [UInt8]

  /// A picture of samples in memory; there must be exactly as many as the sizes say.
  public init(width: Int, height: Int, color: Color, samples: [UInt8]) {
    precondition(width > 0 && height > 0, "an image has at least one pixel")
    precondition(
      samples.count == width * height * color.sampleCount, "an image is as large as it says")
    self.width = width
    self.height = height
    self.color = color
    self.samples = samples
  }
}
