import Testing

@testable import Datasets

struct DatumTests {
  @Test func `records are those that Caffe's converters write`() {
    // As convert_mnist_data: no field encoded.
    let digit = Datum(size: (1, 2, 2), data: [1, 2, 3, 255], label: 7)
    #expect(
      digit.serialized == [
        0x08, 1, 0x10, 2, 0x18, 2, 0x22, 4, 1, 2, 3, 255, 0x28, 7,
      ])
    // As convert_imageset: encoded is said, and sizes are, but for files.
    let picture = Datum(
      size: (3, 1, 200), data: [UInt8](repeating: 9, count: 600), label: -1, isEncoded: false)
    #expect(
      picture.serialized == [0x08, 3, 0x10, 1, 0x18, 0xc8, 1, 0x22, 0xd8, 4]
        + [UInt8](repeating: 9, count: 600) + [0x28] + [UInt8](repeating: 0xff, count: 9)
        + [1, 0x38, 0])
    let file = Datum(size: nil, data: [5], label: 300, isEncoded: true)
    #expect(file.serialized == [0x22, 1, 5, 0x28, 0xac, 2, 0x38, 1])
  }

  private func view<Result>(_ bytes: [UInt8], _ body: (DatumView) throws -> Result) throws -> Result
  {
    try bytes.withUnsafeBytes { try body(DatumView($0)) }
  }

  @Test func `what was written is read`() throws {
    let datum = Datum(size: (2, 1, 3), data: [1, 2, 3, 4, 5, 6], label: -5, isEncoded: false)
    try view(datum.serialized) { view in
      #expect(view.channels == 2 && view.height == 1 && view.width == 3)
      #expect(Array(view.data) == datum.data)
      #expect(view.label == -5 && !view.isEncoded && view.floats.isEmpty)
    }
  }

  @Test func `floats are read one by one, packed, and both`() throws {
    let size: [UInt8] = [0x08, 1, 0x10, 1, 0x18, 3]
    let single: [UInt8] = [0x35, 0, 0, 0x80, 0x3f]
    let packed: [UInt8] = [0x32, 8, 0, 0, 0, 0x40, 0, 0, 0x40, 0xc0]
    try view(size + single + packed) { #expect($0.floats == [1, 2, -3]) }
  }

  @Test func `unknown fields are passed over, and of repeated ones the last counts`() throws {
    let unknown: [UInt8] = [0x78, 1, 0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 2, 0, 0]
    try view([0x08, 9] + unknown + [0x08, 1, 0x10, 1, 0x18, 1, 0x22, 2, 8, 8, 0x22, 1, 7]) {
      #expect($0.channels == 1)
      #expect(Array($0.data) == [7])
    }
  }

  @Test(arguments: [
    ([], "is empty"),
    ([0x08], "too early"),
    ([0x22, 5, 1], "too early"),
    ([0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "too early"),
    ([UInt8](repeating: 0xff, count: 12), "more than ten bytes"),
    ([0x08, 1, 0x10, 2, 0x18, 2, 0x22, 3, 1, 2, 3], "1 x 2 x 2, but 3 values"),
    ([0x08, 1, 0x10, 2, 0x22, 0], "1 x 2 x 0"),
    ([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "-1 x 0 x 0"),
    (
      [
        0x08, 0xff, 0xff, 0xff, 0xff, 7, 0x10, 0xff, 0xff, 0xff, 0xff, 7, 0x18, 0xff, 0xff, 0xff,
        0xff, 7, 0x22, 1, 0,
      ], "but 1 values"
    ),
    ([0x38, 1], "has no data"),
    ([0x0a, 0], "wrong kind"),
    ([0x32, 3, 0, 0, 0], "3 bytes of floats"),
    ([0x00, 0], "without a number"),
    ([0x7b], "impossible kind"),
  ])
  func `damage is told`(bytes: [UInt8], reason: String) {
    let flaw = #expect(throws: DatumFlaw.self) { try view(bytes) { _ in } }
    #expect(flaw?.reason.contains(reason) == true, "\(flaw?.reason ?? "")")
  }
}
