import IR
import TestSupport
import Testing

@testable import Datasets

/// The rule value = (x - mean) * scale with crops and mirroring, against its plainest form.
struct TransformTests {
  private let origin = Origin("db", layer: "data")

  private func transform(
    _ settings: DataTransform, _ first: PictureSize, isTraining: Bool = false, mean: Tensor? = nil
  ) throws -> PixelTransform {
    try PixelTransform(settings, isTraining: isTraining, first: first, origin: origin) {
      path throws(Diagnostic) in
      guard let mean else { throw .error("there is no such file", file: path) }
      return mean
    }
  }

  private func applied(
    _ transform: PixelTransform, _ values: [UInt8], _ size: PictureSize,
    random: inout RandomSource
  ) -> [Float] {
    let output = transform.output
    var target = [Float](repeating: .nan, count: output.channels * output.height * output.width)
    target.withUnsafeMutableBufferPointer { target in
      values.withUnsafeBufferPointer {
        transform.apply(.bytes($0), size: size, into: target, random: &random)
      }
    }
    return target
  }

  @Test func `every crop and flip of random pictures is one of those that the rule allows`() throws
  {
    var generator = SeededGenerator(seed: 5)
    for round in 0..<60 {
      let size = PictureSize(
        channels: generator.pick([1, 2, 3]), height: generator.integer(3...7),
        width: generator.integer(3...7))
      let count = size.channels * size.height * size.width
      let pixels = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      var settings = DataTransform()
      settings.scale = generator.pick([1, 0.00390625, -2])
      settings.mirrors = generator.chance(0.5)
      settings.crop = generator.pick([0, 1, 3])
      let meanShape = try Shape([size.channels, size.height, size.width])
      var means = [Float](repeating: 0, count: count)
      var image: Tensor?
      switch generator.integer(0...2) {
      case 0:
        settings.meanValues = (0..<size.channels).map { Float($0) * 10 + 3 }
        for index in 0..<count { means[index] = Float(index / (count / size.channels)) * 10 + 3 }
      case 1:
        settings.meanFile = "mean.binaryproto"
        means = (0..<count).map { _ in Float.random(in: 0..<255, using: &generator) }
        image = Tensor(shape: meanShape, values: means)
      default: break
      }
      let isTraining = generator.chance(0.5)
      let transform = try transform(settings, size, isTraining: isTraining, mean: image)
      let (height, width) =
        settings.crop > 0 ? (settings.crop, settings.crop) : (size.height, size.width)
      var allowed: Set<[Float]> = []
      let (high, wide) = (size.height - height, size.width - width)
      for top in isTraining ? 0...high : high / 2...high / 2 {
        for left in isTraining ? 0...wide : wide / 2...wide / 2 {
          for flips in settings.mirrors ? [false, true] : [false] {
            var result: [Float] = []
            for channel in 0..<size.channels {
              for y in 0..<height {
                for x in 0..<width {
                  let column = left + (flips ? width - 1 - x : x)
                  let at = (channel * size.height + top + y) * size.width + column
                  result.append((Float(pixels[at]) - means[at]) * settings.scale)
                }
              }
            }
            allowed.insert(result)
          }
        }
      }
      var random = RandomSource(seed: UInt64(round))
      var seen: Set<[Float]> = []
      for _ in 0..<200 { seen.insert(applied(transform, pixels, size, random: &random)) }
      #expect(seen.isSubset(of: allowed))
      // All of them, but for chance where there are many.
      #expect(seen.count == allowed.count || allowed.count > 20)
    }
  }

  @Test func `half of the pictures are flipped, in tests too`() throws {
    var settings = DataTransform()
    settings.mirrors = true
    let size = PictureSize(channels: 1, height: 1, width: 2)
    let transform = try transform(settings, size, isTraining: false)
    var random = RandomSource(seed: 4)
    let flipped = (0..<4000).count { _ in
      applied(transform, [1, 2], size, random: &random) == [2, 1]
    }
    #expect((1850...2150).contains(flipped))
  }

  @Test func `settings that do not fit are refused`() throws {
    let size = PictureSize(channels: 3, height: 4, width: 5)
    func refusal(_ mean: Tensor? = nil, _ change: (inout DataTransform) -> Void) -> String {
      var settings = DataTransform()
      change(&settings)
      return message { _ = try transform(settings, size, mean: mean) }
    }
    #expect(refusal { $0.crop = 5 }.contains("crop_size is 5"))
    #expect(refusal { $0.meanValues = [1, 2] }.contains("2 times mean_value"))
    let wrong = Tensor(shape: try Shape([3, 4, 4]), repeating: 0)
    let line = refusal(wrong) { $0.meanFile = "mean.binaryproto" }
    #expect(
      line == "mean.binaryproto: holds a mean of 3 x 4 x 4, but the pictures of db have 3 x 4 x 5 "
        + "(channels, height, width) (layer \"data\")")
    #expect(refusal { $0.meanFile = "x" } == "x: there is no such file")
    let flat = Tensor(shape: .vector(60), repeating: 0)
    #expect(refusal(flat) { $0.meanFile = "x" }.contains("a picture has 3 axes"))
    #expect(
      refusal(wrong) {
        $0.meanFile = "x"
        $0.meanValues = [1]
      }.contains("exclude each other"))
  }
}
