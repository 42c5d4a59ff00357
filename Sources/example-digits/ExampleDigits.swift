import ArgumentParser
import CImageEncoders
import Foundation

/// Makes a set of digit images to train on, in the files that MNIST comes in.
@main
struct ExampleDigits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "example-digits",
    abstract: "Draws seeded images of digits: a training set, a test set, and some as PNG files."
  )

  @Option(name: .shortAndLong, help: "The folder to make.")
  var output: String

  @Option(help: "Images to train on.")
  var train = 12_000

  @Option(help: "Images to test on, drawn from other random numbers.")
  var test = 2_000

  @Option(help: "How many of the test images are written as PNG files too, named INDEX_DIGIT.png.")
  var samples = 20

  @Option(help: "Another seed gives other images.")
  var seed: UInt64 = 1

  func validate() throws {
    guard (1...1_000_000).contains(train), (1...1_000_000).contains(test),
      (0...test).contains(samples)
    else { throw ValidationError("expected 1 to 1000000 images, and no more samples than tests") }
  }

  func run() throws {
    try FileManager.default.createDirectory(
      atPath: output + "/samples", withIntermediateDirectories: true)
    let trained = digits(train, stream: 1)
    let tested = digits(test, stream: 2)
    try write(trained, as: "train")
    try write(tested, as: "t10k")
    for (index, digit) in tested.prefix(samples).enumerated() {
      let name = String(format: "%04d_%d.png", index, digit.digit)
      try png(digit.pixels).write(to: URL(fileURLWithPath: "\(output)/samples/\(name)"))
    }
  }

  private func digits(_ count: Int, stream: UInt64) -> [(digit: Int, pixels: [UInt8])] {
    var painter = DigitPainter(seed: seed, stream: stream)
    return (0..<count).map { _ in painter.next() }
  }

  /// The IDX format: magic number, extents (big-endian), bytes.
  private func write(_ digits: [(digit: Int, pixels: [UInt8])], as name: String) throws {
    func header(_ words: [Int]) -> Data {
      Data(
        words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } })
    }
    let side = DigitPainter.side
    var images = header([0x803, digits.count, side, side])
    for digit in digits { images.append(contentsOf: digit.pixels) }
    try images.write(to: URL(fileURLWithPath: "\(output)/\(name)-images-idx3-ubyte"))
    let labels = header([0x801, digits.count]) + Data(digits.map { UInt8($0.digit) })
    try labels.write(to: URL(fileURLWithPath: "\(output)/\(name)-labels-idx1-ubyte"))
  }

  private func png(_ pixels: [UInt8]) -> Data {
    var form = png_form()
    form.width = UInt32(DigitPainter.side)
    form.height = UInt32(DigitPainter.side)
    form.bit_depth = 8
    var count = 0
    guard let bytes = encode_png(&form, pixels, &count) else { return Data() }
    return Data(bytesNoCopy: bytes, count: count, deallocator: .free)
  }
}
