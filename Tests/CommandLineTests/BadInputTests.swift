import Foundation
import IR
import Testing

/// Files as they should not be. Whatever is wrong: one line, status 1, and nothing left behind.
struct BadInputTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try SampleNet.write(to: workplace)
  }

  private static let compile = ["compile", "net.prototxt", "net.caffemodel", "-o", "net.so"]

  @Test func `files that are cut short`() throws {
    let model = try workplace.bytes("net.caffemodel")
    for count in [0, 1, 10, model.count / 2, model.count - 1] {
      try workplace.write(Array(model.prefix(count)), "net.caffemodel")
      try expectRefusal(workplace, Self.compile, "net.caffemodel: ")
    }
    try workplace.write(model, "net.caffemodel")
    let text = Array(SampleNet.definition.utf8)
    // Inside the first layer, inside a string, inside a field's name.
    for count in [0, 30, 50, 66, 150] {
      try workplace.write(Array(text.prefix(count)), "net.prototxt")
      try expectRefusal(workplace, Self.compile, "net.prototxt")
    }
  }

  /// A changed bit may change a weight only; then all is well. Otherwise one line says what is
  /// wrong.
  @Test(arguments: ["net.caffemodel", "net.prototxt"])
  func `files with a changed bit`(file: String) throws {
    let bytes = try workplace.bytes(file)
    let before = try workplace.contents()
    var refused = 0
    for step in 0..<60 {
      var changed = bytes
      let bit = step * 8 * bytes.count / 60 + step % 8
      changed[bit / 8] ^= 1 << (bit % 8)
      try workplace.write(changed, file)
      let outcome = try workplace.sparsec("inspect", "net.prototxt", "net.caffemodel")
      #expect(outcome.status == 0 || outcome.status == 1, "bit \(bit): \(outcome.errors)")
      if outcome.status == 1 {
        refused += 1
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.count { $0.isNewline } == 1, "bit \(bit): \(outcome.errors)")
      }
    }
    #expect(refused > 5)
    #expect(try workplace.contents() == before)
  }

  @Test(arguments: [
    // Wrong shapes.
    ("num_output: 3", "num_output: 4", "blob 0 has shape [3,16] where the net needs [4,16]"),
    ("num_output: 3", "num_output: 0", "net.prototxt:8:37: "),
    ("num_output: 3", "num_output: 3 axis: 9", "axis 9"),
    ("num_output: 3", "num_output: 3 bias_term: false", "has 2 blobs where the net needs 1"),
    // A layer that the caffemodel does not have.
    ("name: \"ip\"", "name: \"fc\"", "no caffemodel has weights for it, by this name"),
    // Two layers that wait for each other.
    ("bottom: \"data\"", "bottom: \"loop\"", "reads blob \"loop\", which no earlier layer makes"),
    ("type: \"ReLU\"", "type: \"RELU\"", "RELU"),
    // Dimensions that take more than any machine has.
    ("dim: 4 dim: 4", "dim: 50000 dim: 50000", "more than 2147483647 elements"),
    ("dim: 4 dim: 4", "dim: 4 dim: 40000000000", "net.prototxt:2:1: "),
    ("dim: 4 dim: 4", "dim: -4 dim: 4", "extent of -4"),
    ("num_output: 3", "num_output: 100000000", "at most 536870912 are possible"),
  ])
  func `definitions that do not fit`(old: String, new: String, words: String) throws {
    try #require(SampleNet.definition.contains(old))
    try workplace.write(SampleNet.definition.replacing(old, with: new), "net.prototxt")
    try expectRefusal(workplace, Self.compile, words)
  }

  @Test func `weights of the wrong size`() throws {
    for shape in [[3, 15], [16, 3], [48], [1, 1, 3, 16]] {
      let tensor = Tensor(shape: try Shape(shape), repeating: 1)
      try workplace.write(
        weights: [("ip", "InnerProduct", [tensor, Tensor(shape: .vector(3), repeating: 0)])],
        "net.caffemodel")
      try expectRefusal(workplace, Self.compile, "where the net needs [3,16]")
    }
  }

  @Test func `files that are something else`() throws {
    try expectRefusal(
      workplace, ["compile", "net.caffemodel", "net.prototxt", "-o", "net.so"], "net.caffemodel")
    try expectRefusal(
      workplace, ["compile", "gone.prototxt", "net.caffemodel", "-o", "net.so"], "gone.prototxt: ")
    try expectRefusal(
      workplace, ["compile", "net.prototxt", "gone.caffemodel", "-o", "net.so"],
      "gone.caffemodel: there is no such file")
    try expectRefusal(
      workplace, ["compile", ".", "net.caffemodel", "-o", "net.so"], ".: ")
  }

  @Test func `what is there stays there when a compilation fails`() throws {
    try workplace.write("precious", "net.so")
    try workplace.write([], "net.caffemodel")
    try expectRefusal(workplace, Self.compile, "net.caffemodel: is empty")
    #expect(try workplace.text("net.so") == "precious")
  }
}
