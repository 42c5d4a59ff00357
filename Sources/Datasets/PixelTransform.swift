import IR

/// The values of one picture in planes, before they are transformed.
enum PixelPlanes {
  case bytes(UnsafeBufferPointer<UInt8>)
  case floats(UnsafeBufferPointer<Float>)
}

/// Channels, rows and columns of a picture.
struct PictureSize: Hashable, CustomStringConvertible {
  var channels: Int
  var height: Int
  var width: Int

  var description: String { "\(channels) x \(height) x \(width)" }
}

/// Turns pictures into what a net sees: crop, mirror, (pixel - mean) * scale, as Caffe's
/// data_transformer defines it.
///
/// The mean image is indexed at the source pixel: the place in the whole picture, before mirroring.
/// Mirroring draws in both phases; crops are random in training and central in tests.
struct PixelTransform {
  private enum Mean {
    case channels([Float])
    case image(Tensor)
  }

  /// What comes out of the first picture, and must of all.
  let output: PictureSize
  private let settings: DataTransform
  private let isTraining: Bool
  private let mean: Mean

  /// Checks the settings against the first picture's size.
  ///
  /// - Parameter loadMean: reads the file of a mean image as channels x height x width.
  init(
    _ settings: DataTransform, isTraining: Bool, first: PictureSize, origin: Origin,
    loadMean: (String) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) {
    self.settings = settings
    self.isTraining = isTraining
    let crop = settings.crop
    output = crop > 0 ? PictureSize(channels: first.channels, height: crop, width: crop) : first
    if let file = settings.meanFile {
      guard settings.meanValues.isEmpty else {
        throw origin.error("mean_file and mean_value exclude each other")
      }
      let image = try loadMean(file)
      let size = try Self.size(of: image, file: file, origin)
      guard size == first else {
        throw origin.error(
          "holds a mean of \(size), but the pictures of \(origin.path) have \(first) "
            + "(channels, height, width)", file: file)
      }
      mean = .image(image)
    } else {
      let values = settings.meanValues
      guard values.count <= 1 || values.count == first.channels else {
        throw origin.error(
          "\(values.count) times mean_value, but the pictures have \(first.channels) channels")
      }
      mean = .channels(
        values.count == first.channels
          ? values : [Float](repeating: values.first ?? 0, count: first.channels))
    }
    if let flaw = flaw(of: first) { throw origin.error("the first picture \(flaw)") }
  }

  private static func size(
    of image: Tensor, file: String, _ origin: Origin
  ) throws(Diagnostic) -> PictureSize {
    guard image.shape.axes == 3 else {
      throw origin.error("holds a mean of shape \(image.shape); a picture has 3 axes", file: file)
    }
    return PictureSize(channels: image.shape[0], height: image.shape[1], width: image.shape[2])
  }

  /// What keeps a picture of some size from being transformed; one clause.
  func flaw(of size: PictureSize) -> String? {
    guard size.channels == output.channels else {
      return "has \(size.channels) channels, the first one \(output.channels)"
    }
    if settings.crop > 0 {
      guard size.height >= output.height, size.width >= output.width else {
        return "has \(size.height) x \(size.width) pixels; crop_size is \(settings.crop)"
      }
    } else if size != output {
      return "has \(size.height) x \(size.width) pixels, the first one "
        + "\(output.height) x \(output.width); resize them, or write a crop_size"
    }
    if case .image(let image) = mean,
      image.shape.extents != [size.channels, size.height, size.width]
    {
      return "has a size of \(size), the mean image \(image.shape)"
    }
    return nil
  }

  /// Transforms one picture whose size has no flaw.
  ///
  /// - Parameters:
  ///   - planes: `size` values, channel by channel.
  ///   - target: room for `output`.
  func apply(
    _ planes: PixelPlanes, size: PictureSize, into target: UnsafeMutableBufferPointer<Float>,
    random: inout RandomSource
  ) {
    let isMirrored = settings.mirrors && random.next() >> 63 == 1
    var (top, left) = (0, 0)
    if settings.crop > 0 {
      let (high, wide) = (size.height - output.height, size.width - output.width)
      top = isTraining ? random.index(below: high + 1) : high / 2
      left = isTraining ? random.index(below: wide + 1) : wide / 2
    }
    for channel in 0..<output.channels {
      for row in 0..<output.height {
        let from = (channel * size.height + top + row) * size.width + left
        let to = (channel * output.height + row) * output.width
        var line = UnsafeMutableBufferPointer(rebasing: target[to..<to + output.width])
        switch planes {
        case .bytes(let values): read(values, from, line)
        case .floats(let values): read(values, from, line)
        }
        center(line, channel: channel, from: from)
        if isMirrored { line.reverse() }
      }
    }
  }

  @inline(__always)
  private func read(
    _ values: UnsafeBufferPointer<UInt8>, _ from: Int, _ line: UnsafeMutableBufferPointer<Float>
  ) {
    for x in 0..<line.count { line[x] = Float(values[from &+ x]) }
  }

  @inline(__always)
  private func read(
    _ values: UnsafeBufferPointer<Float>, _ from: Int, _ line: UnsafeMutableBufferPointer<Float>
  ) {
    for x in 0..<line.count { line[x] = values[from &+ x] }
  }

  /// Subtracts the mean of the source pixels `from`... and multiplies.
  private func center(_ line: UnsafeMutableBufferPointer<Float>, channel: Int, from: Int) {
    let scale = settings.scale
    switch mean {
    case .channels(let values):
      let value = values[channel]
      for x in 0..<line.count { line[x] = (line[x] - value) * scale }
    case .image(let image):
      image.values.withUnsafeBufferPointer { values in
        for x in 0..<line.count { line[x] = (line[x] - values[from &+ x]) * scale }
      }
    }
  }
}
