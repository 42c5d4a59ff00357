import Testing

@testable import Images

struct PreprocessingTests {
  private func picture(width: Int, height: Int, color: Image.Color = .rgb) -> Image {
    Image(
      width: width, height: height, color: color,
      samples: noise(count: width * height * color.sampleCount, seed: UInt64(width * height)))
  }

  /// One sample of the resized picture straight from the definition, in double precision.
  private func resizedSample(
    _ image: Image, x: Int, y: Int, sample: Int, width: Int, height: Int
  ) -> Double {
    func taps(_ index: Int, _ from: Int, _ to: Int) -> (Int, Int, Double) {
      let position = (Double(index) + 0.5) * Double(from) / Double(to) - 0.5
      let lower = position.rounded(.down)
      let clamp = { (place: Int) in min(max(place, 0), from - 1) }
      return (clamp(Int(lower)), clamp(Int(lower) + 1), position - lower)
    }
    let (left, right, dx) = taps(x, image.width, width)
    let (top, bottom, dy) = taps(y, image.height, height)
    func value(_ x: Int, _ y: Int) -> Double {
      Double(image.samples[(y * image.width + x) * image.color.sampleCount + sample])
    }
    return (1 - dy) * ((1 - dx) * value(left, top) + dx * value(right, top))
      + dy * ((1 - dx) * value(left, bottom) + dx * value(right, bottom))
  }

  @Test(arguments: [(40, 30), (30, 40), (17, 90), (7, 5), (12, 12)])
  func `resizes and crops as defined`(width: Int, height: Int) throws {
    let image = picture(width: width, height: height)
    let preprocessing = try Preprocessing(
      channels: 3, height: 9, width: 12, shorterSide: 13, channelOrder: .rgb)
    let planes = try preprocessing.planes(of: image)
    // The longer side in the rule's own words, floor(long * N / short + 0.5).
    let short = Double(min(width, height))
    let resized = [width, height].map { Int((Double($0) * 13 / short + 0.5).rounded(.down)) }
    let (left, top) = ((resized[0] - 12) / 2, (resized[1] - 9) / 2)
    for channel in 0..<3 {
      for y in 0..<9 {
        for x in 0..<12 {
          let exact = resizedSample(
            image, x: x + left, y: y + top, sample: channel, width: resized[0],
            height: resized[1])
          let value = planes[(channel * 9 + y) * 12 + x]
          // Rounded to 8 bits; a hair more where the exact value is halfway.
          #expect(value == value.rounded() && abs(Double(value) - exact) < 0.5001)
        }
      }
    }
  }

  @Test func `leaves pictures of the right size untouched`() throws {
    let image = picture(width: 9, height: 7)
    let preprocessing = try Preprocessing(channels: 3, height: 7, width: 4, shorterSide: 7)
    let planes = try preprocessing.planes(of: image)
    for channel in 0..<3 {
      for y in 0..<7 {
        for x in 0..<4 {
          // Blue first; (9 - 4) / 2 rounded down is 2.
          let sample = image.samples[(y * 9 + x + 2) * 3 + 2 - channel]
          #expect(planes[(channel * 7 + y) * 4 + x] == Float(sample))
        }
      }
    }
  }

  @Test(arguments: [(227, 256), (200, 256), (199, 199), (28, 28), (299, 299)])
  func `chooses the customary size`(side: Int, shorterSide: Int) throws {
    let preprocessing = try Preprocessing(channels: 3, height: side, width: side)
    #expect(preprocessing.shorterSide == shorterSide)
  }

  @Test func `rounds the longer side to the nearest`() throws {
    let preprocessing = try Preprocessing(channels: 3, height: 1, width: 1, shorterSide: 3)
    #expect(preprocessing.resizedSize(width: 2, height: 3) == (3, 5))  // 4.5 up
    #expect(preprocessing.resizedSize(width: 7, height: 8) == (3, 3))  // 3.43 down
  }

  @Test(arguments: Preprocessing.ChannelOrder.allCases)
  func `takes mean and scale blue first whatever the order`(
    order: Preprocessing.ChannelOrder
  ) throws {
    let image = Image(width: 1, height: 1, color: .rgb, samples: [200, 100, 50])
    let preprocessing = try Preprocessing(
      channels: 3, height: 1, width: 1, channelOrder: order, mean: .channels([5, 10, 20]),
      scale: 0.5)
    let planes = try preprocessing.planes(of: image)
    let gray: Float = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    switch order {
    case .bgr: #expect(planes == [22.5, 45, 90])
    case .rgb: #expect(planes == [90, 45, 22.5])
    case .gray: #expect(planes == [(gray - 5) / 2, (gray - 10) / 2, (gray - 20) / 2])
    }
  }

  @Test func `gives gray pictures to colour nets and luminance to gray ones`() throws {
    let gray = Image(width: 1, height: 1, color: .gray, samples: [77])
    let rgb = Image(width: 1, height: 1, color: .rgb, samples: [200, 100, 50])
    let color = try Preprocessing(channels: 3, height: 1, width: 1)
    let single = try Preprocessing(
      channels: 1, height: 1, width: 1, mean: .channels([5, 10, 20]))
    #expect(try color.planes(of: gray) == [77, 77, 77])
    let mean: Float = 0.299 * 20 + 0.587 * 10 + 0.114 * 5
    #expect(try single.planes(of: gray) == [77 - mean])
    #expect(try single.planes(of: rgb) == [Float(0.299 * 200 + 0.587 * 100 + 0.114 * 50) - mean])
  }

  @Test(arguments: [Preprocessing.ChannelOrder.bgr, .rgb])
  func `reads a mean picture at the crop's place`(order: Preprocessing.ChannelOrder) throws {
    // The picture is its own mean (Caffe's planes, blue first), so nothing may remain of it.
    let image = picture(width: 11, height: 11)
    let values = (0..<3).flatMap { channel in
      (0..<121).map { Float(image.samples[3 * $0 + 2 - channel]) }
    }
    let mean = try ImageMean(shape: [1, 3, 11, 11], values: values)
    let cropped = try Preprocessing(
      channels: 3, height: 6, width: 4, shorterSide: 11, channelOrder: order, mean: mean)
    #expect(try cropped.planes(of: image).allSatisfy { $0 == 0 })

    // A mean of the crop's own size is read from its first pixel on.
    let plain = try Preprocessing(
      channels: 3, height: 6, width: 4, shorterSide: 11
    ).planes(of: image)
    let ofCrop = try Preprocessing(
      channels: 3, height: 6, width: 4, shorterSide: 11,
      mean: ImageMean(shape: [3, 6, 4], values: plain))
    #expect(try ofCrop.planes(of: image).allSatisfy { $0 == 0 })
  }

  @Test func `costs no more for pictures of extreme proportions`() throws {
    let image = picture(width: 60000, height: 1, color: .gray)
    let preprocessing = try Preprocessing(channels: 1, height: 227, width: 227)
    #expect(try preprocessing.planes(of: image).count == 227 * 227)
  }

  @Test func `explains what cannot work`() {
    func message(_ make: () throws -> Preprocessing) -> String? {
      #expect(throws: PreprocessingError.self) { try make() }?.description
    }
    #expect(
      message { try Preprocessing(channels: 3, height: 227, width: 227, shorterSide: 200) }
        == "images resized to 200 pixels are smaller than the net's input of 227x227; "
        + "resize to 227 or more")
    #expect(
      message { try Preprocessing(channels: 4, height: 8, width: 8) }
        == "a net input of 4 channels takes no images (1 or 3 do); give arrays instead")
    #expect(
      message {
        try Preprocessing(channels: 3, height: 8, width: 8, mean: .channels([1, 2]))
      } == "the mean has 2 channels, the net's input has 3")
    #expect(
      message {
        try Preprocessing(
          channels: 1, height: 8, width: 8,
          mean: .planes(channels: 1, height: 4, width: 4, values: Array(repeating: 0, count: 16)))
      } == "the mean of 4x4 is smaller than the net's input of 8x8")
    #expect(throws: PreprocessingError.self) {
      try Preprocessing(channels: 3, height: 8, width: 8, scale: .nan)
    }
    #expect(throws: PreprocessingError.unsupportedMeanShape([3, 2, 2], values: 11)) {
      try ImageMean(shape: [3, 2, 2], values: Array(repeating: 0, count: 11))
    }
    #expect(throws: PreprocessingError.self) { try ImageMean(shape: [.max, 4], values: []) }
  }

  @Test(arguments: [
    ("104,117,123", [104, 117, 123] as [Float]?), ("104, 117, 123.5", [104, 117, 123.5]),
    ("33", [33]), ("1,2", nil), ("1,2,", nil), ("mean.npy", nil), ("", nil), ("1,2,x", nil),
  ])
  func `tells lists of numbers from file names`(text: String, values: [Float]?) {
    #expect(ImageMean(channelValues: text) == values.map(ImageMean.channels))
  }
}
