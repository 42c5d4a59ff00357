import Caffe
import Foundation
import IR
import Images
import NumPy

/// Makes a `Preprocessing` from an input's shape, what was baked into a network and what the user says.
public enum PreprocessingPlan {
  /// What to bake into a network with a first input of `shape`; nil if that is no picture and the user asked for
  /// nothing.
  static func baked(for shape: [Int], _ options: PreprocessingOptions) throws(Diagnostic)
    -> Preprocessing?
  {
    guard let size = pictureSize(shape) else {
      guard options.isEmpty else {
        throw .error(
          "the first input has shape \(shape), which is no picture of 1 or 3 channels; "
            + "leave the options for images out")
      }
      return nil
    }
    return try make(size, base: nil, options)
  }

  /// What to do to images for a network: the baked preprocessing, changed by what the user says.
  public static func plan(
    for shape: [Int], baked: Preprocessing?, _ options: PreprocessingOptions
  ) throws(Diagnostic) -> Preprocessing {
    guard let size = pictureSize(shape) else {
      throw .error(
        "the first input has shape \(shape), which is no picture of 1 or 3 channels; "
          + "give it with --input X.npy")
    }
    return try make(size, base: baked, options)
  }

  private static func pictureSize(_ shape: [Int]) -> (channels: Int, height: Int, width: Int)? {
    guard shape.count == 4, shape[1] == 1 || shape[1] == 3 else { return nil }
    return (shape[1], shape[2], shape[3])
  }

  private static func make(
    _ size: (channels: Int, height: Int, width: Int), base: Preprocessing?,
    _ options: PreprocessingOptions
  ) throws(Diagnostic) -> Preprocessing {
    if let crop = options.crop, crop != size.height || crop != size.width {
      throw .error(
        "--crop \(crop): the network's input is \(size.height)x\(size.width) pixels, and images are "
          + "cut to that")
    }
    let mean = try options.mean.map { text throws(Diagnostic) in try readMean(text) }
    do {
      return try Preprocessing(
        channels: size.channels, height: size.height, width: size.width,
        shorterSide: options.resize ?? base?.shorterSide,
        channelOrder: options.channelOrder ?? base?.channelOrder ?? .bgr,
        mean: mean ?? base?.mean ?? .none, scale: options.scale ?? base?.scale ?? 1)
    } catch {
      throw .error("\(error)")
    }
  }

  /// `B,G,R` or a file.
  private static func readMean(_ text: String) throws(Diagnostic) -> ImageMean {
    if let values = ImageMean(channelValues: text) { return values }
    let (shape, values): ([Int], [Float])
    if text.hasSuffix(".npy") {
      do {
        let array = try NumPyArray.read(contentsOf: text)
        (shape, values) = (array.shape, array.values)
      } catch {
        throw .error("\(error)")
      }
    } else if text.hasSuffix(".binaryproto") {
      let mean = try MeanFile.read(contentsOf: text)
      (shape, values) = (mean.shape.extents, mean.values)
    } else {
      throw .error(
        "--mean \(text): expected B,G,R or the name of a .binaryproto or .npy file")
    }
    do {
      return try ImageMean(shape: shape, values: values)
    } catch {
      throw .error("\(error)", file: text)
    }
  }
}
