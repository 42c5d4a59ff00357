import IR
import TestSupport
import Testing

struct WindowTests {
  @Test func `a window counts the positions at which all of it fits`() throws {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<500 {
      let window = Window(
        kernel: [random.integer(1...5)], stride: [random.integer(1...4)],
        pad: [random.integer(0...3)], dilation: [random.integer(1...3)])
      let extent = random.integer(1...20)
      let last = (window.kernel[0] - 1) * window.dilation[0]
      let starts = stride(from: 0, to: extent + 2 * window.pad[0], by: window.stride[0])
      let fitting = starts.count { $0 + last < extent + 2 * window.pad[0] }
      #expect((try? window.positions(over: extent, axis: 0)) ?? 0 == fitting, "\(window)")
      #expect(window.span(0) == last + 1)
    }
  }

  @Test func `a window that does not fit says so`() {
    #expect(
      throws: ShapeError("a window of extent 5 does not fit into 2 with padding 1")
    ) { try Window.square(3, pad: 1, dilation: 2).positions(over: 2, axis: 0) }
  }

  @Test func `numbers that mean nothing are refused`() {
    #expect(throws: ShapeError("a kernel extent of 0")) { try Window.square(0).check() }
    #expect(throws: ShapeError("a stride of 0")) { try Window.square(1, stride: 0).check() }
    #expect(throws: ShapeError("a padding of -1")) { try Window.square(1, pad: -1).check() }
    #expect(throws: ShapeError("a dilation of 0")) { try Window.square(1, dilation: 0).check() }
    let limit = 1 << 24
    #expect(throws: ShapeError("a window larger than 16777216")) {
      try Window.square(limit).check()
    }
    #expect(throws: Never.self) {
      try Window.square(limit - 1, stride: limit - 1, pad: limit - 1, dilation: limit - 1).check()
    }
  }

  @Test func `only a 1x1 window of stride 1 without padding is pointwise`() {
    #expect(Window.square(1).isPointwise)
    #expect(Window.square(1, dilation: 2).isPointwise)
    #expect(!Window.square(2).isPointwise)
    #expect(!Window.square(1, stride: 2).isPointwise)
    #expect(!Window.square(1, pad: 1).isPointwise)
  }

  @Test func `the dump leaves out what is usual`() {
    func text(_ window: Window) -> String {
      window.attributes.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }
    #expect(text(.square(3)) == "kernel=3x3")
    #expect(
      text(.square(3, stride: 2, pad: 1, dilation: 4))
        == "kernel=3x3 stride=2x2 pad=1x1 dilation=4x4")
    #expect(Window(kernel: [2, 3]).taps == 6)
  }
}
