import IR
import TestSupport
import Testing

/// Output extents of layers with windows, against Caffe's formulas.
struct SlidingWindowShapeTests {
  @Test func `a convolution rounds down and keeps the axes before the channels`() throws {
    let layer = Convolution(filters: 6, window: .square(3, stride: 2, pad: 1), groups: 2)
    #expect(try layer.extents(for: [5, 4, 8, 7]) == [[5, 6, 4, 4]])
    #expect(try layer.slots(for: [5, 4, 8, 7]) == ["weights [6,2,3,3]", "bias [6]"])
    let alexNet = Convolution(filters: 96, window: .square(11, stride: 4), hasBias: false)
    #expect(try alexNet.extents(for: [1, 3, 227, 227]) == [[1, 96, 55, 55]])
    #expect(try alexNet.slots(for: [1, 3, 227, 227]) == ["weights [96,3,11,11]"])
    let dilated = Convolution(filters: 1, window: .square(3, dilation: 4))
    #expect(try dilated.extents(for: [1, 1, 9, 12]) == [[1, 1, 1, 4]])
    let volume = Convolution(filters: 2, window: Window(kernel: [2, 2, 2]), axis: -4)
    #expect(try volume.extents(for: [1, 3, 4, 5, 6]) == [[1, 2, 3, 4, 5]])
    let pixels = Convolution(filters: 2, window: Window(kernel: [3]), axis: 0)
    #expect(try pixels.extents(for: [4, 9]) == [[2, 7]])
  }

  @Test func `a convolution that adds wants a second input of its output's shape`() throws {
    let layer = Convolution(filters: 6, window: .square(3), addsToInput: true)
    #expect(layer.inputCounts == 2...2)
    let image = try Shape([1, 4, 8, 8])
    #expect(
      try layer.outputShapes(for: [image, try Shape([1, 6, 6, 6])]) == [Shape([1, 6, 6, 6])])
    #expect(throws: ShapeError("a result of shape [1,6,6,6] cannot be added to [1,4,8,8]")) {
      try layer.outputShapes(for: [image, image])
    }
    #expect(layer.attributes.contains(Attribute("adds", "second")))
  }

  @Test func `a convolution says what does not fit`() {
    func layer(_ filters: Int = 4, _ groups: Int = 1, axis: Int = 1) -> Convolution {
      Convolution(filters: filters, window: .square(3), groups: groups, axis: axis)
    }
    #expect(
      layer().refusal(of: [1, 4, 9])
        == "the input [1,4,9] has 1 axes after channel axis 1, the kernel has 2")
    #expect(layer(axis: 7).refusal(of: [1, 4]) == "axis 7 of shape [1,4], which has 2 axes")
    #expect(
      layer(4, 3).refusal(of: [1, 4, 9, 9]) == "4 input channels do not divide into 3 groups")
    #expect(
      layer(4, 0).refusal(of: [1, 4, 9, 9]) == "4 input channels do not divide into 0 groups")
    #expect(
      layer(3, 2).refusal(of: [1, 4, 9, 9]) == "3 output channels do not divide into 2 groups")
    #expect(layer(0).refusal(of: [1, 4, 9, 9]) == "0 output channels")
    #expect(
      layer().refusal(of: [1, 4, 2, 9])
        == "a window of extent 3 does not fit into 2 with padding 0")
    #expect(
      layer(1 << 30).refusal(of: [1, 4, 9, 9])
        == "shape [1,1073741824,7,7] has more than 2147483647 elements")
  }

  @Test func `a deconvolution inverts the extents of a convolution`() throws {
    let layer = Deconvolution(filters: 6, window: .square(4, stride: 2, pad: 1), groups: 3)
    #expect(try layer.extents(for: [2, 9, 5, 8]) == [[2, 6, 10, 16]])
    #expect(try layer.slots(for: [2, 9, 5, 8]) == ["weights [9,2,4,4]", "bias [6]"])
    var random = SeededGenerator(seed: 5)
    for _ in 0..<200 {
      let window = Window.square(
        random.integer(1...4), stride: random.integer(1...3), pad: random.integer(0...1),
        dilation: random.integer(1...2))
      let input = [1, 2, random.integer(3...9), random.integer(3...9)]
      let grown = try Deconvolution(filters: 2, window: window).extents(for: input)[0]
      #expect(try Convolution(filters: 2, window: window).extents(for: grown) == [input])
    }
    #expect(
      Deconvolution(filters: 1, window: .square(1, pad: 1)).refusal(of: [1, 1, 2, 2])
        == "padding 1 leaves nothing of the output")
    #expect(
      Deconvolution(filters: 3, window: .square(1), groups: 2).refusal(of: [1, 2, 2, 2])
        == "3 output channels do not divide into 2 groups")
  }

  @Test func `im2col makes one channel per weight column`() throws {
    let layer = Im2col(window: .square(3, stride: 2))
    #expect(try layer.extents(for: [2, 4, 7, 9]) == [[2, 36, 3, 4]])
    #expect(
      Im2col(window: .square((1 << 24) - 1)).refusal(of: [1, 4, 7, 7]) != nil)
  }

  @Test(arguments: [
    (32, 16), (16, 8), (8, 4), (112, 56), (55, 27), (27, 13), (13, 6), (14, 7), (2, 1),
  ])
  func `pooling by 3 with stride 2 rounds up`(extent: Int, expected: Int) throws {
    let layer = Pooling(reduction: .max, window: .square(3, stride: 2))
    #expect(try layer.extents(for: [1, 2, extent, extent]) == [[1, 2, expected, expected]])
  }

  /// Caffe's own statements: float division, ceil, and the clip if any axis is padded.
  @Test func `pooling has Caffe's extents for any window`() throws {
    var random = SeededGenerator(seed: 6)
    for _ in 0..<1000 {
      var window = Window(kernel: [1, 1])
      for axis in 0..<2 {
        window.kernel[axis] = random.integer(1...5)
        window.stride[axis] = random.integer(1...6)
        window.pad[axis] = random.integer(0...window.kernel[axis] - 1)
      }
      let rounding: Rounding = random.chance(0.7) ? .up : .down
      let input = [1, 1, random.integer(1...15), random.integer(1...15)]
      let expected = (0..<2).map { axis -> Int in
        let room = Float(input[2 + axis] + 2 * window.pad[axis] - window.kernel[axis])
        let quotient = room / Float(window.stride[axis])
        var extent = Int(quotient.rounded(rounding == .up ? .up : .down)) + 1
        let isPadded = window.pad[0] > 0 || window.pad[1] > 0
        if isPadded, (extent - 1) * window.stride[axis] >= input[2 + axis] + window.pad[axis] {
          extent -= 1
        }
        return extent
      }
      let layer = Pooling(reduction: .max, window: window, rounding: rounding)
      if expected.allSatisfy({ $0 >= 1 }) {
        #expect(try layer.extents(for: input) == [[1, 1] + expected], "\(window) over \(input)")
      } else {
        #expect(layer.refusal(of: input)?.contains("does not fit into") == true)
      }
    }
  }

  @Test func `pooling can be global, and write positions`() throws {
    let global = Pooling(reduction: .average, window: Window(kernel: []), isGlobal: true)
    #expect(try global.extents(for: [2, 3, 7, 5]) == [[2, 3, 1, 1]])
    #expect(global.resolvedWindow(for: try Shape([2, 3, 7, 5])).kernel == [7, 5])
    let positions = Pooling(reduction: .max, window: .square(2, stride: 2), writesPositions: true)
    #expect(try positions.extents(for: [1, 3, 4, 4]) == [[1, 3, 2, 2], [1, 3, 2, 2]])
  }

  @Test func `pooling says what does not fit`() {
    let layer = Pooling(reduction: .max, window: .square(2, pad: 2))
    #expect(layer.refusal(of: [1, 2, 3]) == "pooling needs 4 axes, the input [1,2,3] has 3")
    #expect(layer.refusal(of: [1, 2, 9, 9]) == "padding 2 is not smaller than the kernel 2")
    #expect(
      Pooling(reduction: .max, window: .square(5)).refusal(of: [1, 1, 2, 9])
        == "a window of extent 5 does not fit into 2 with padding 0")
  }

  @Test func `a pyramid has 1, 4, 16 bins per channel`() throws {
    for height in 1...3 {
      let layer = SpatialPyramidPooling(height: height, reduction: .max)
      let bins = [1, 5, 21][height - 1]
      let expected = height == 1 ? [2, 3, 1, 1] : [2, 3 * bins]
      #expect(try layer.extents(for: [2, 3, 9, 7]) == [expected])
    }
  }

  @Test func `a pyramid says what does not fit`() {
    let layer = SpatialPyramidPooling(height: 3, reduction: .max)
    #expect(layer.refusal(of: [1, 2]) == "pyramid pooling needs 4 axes, the input [1,2] has 2")
    #expect(
      layer.refusal(of: [1, 1, 3, 9])
        == "a pyramid of 3 levels needs an image of at least 4 pixels a side, not 3x9")
    for height in [0, 11, Int.max] {
      #expect(
        SpatialPyramidPooling(height: height, reduction: .max).refusal(of: [1, 1, 9, 9])
          == "a pyramid of \(height) levels; 1 to 10 are possible")
    }
  }
}
