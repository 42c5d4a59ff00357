import Foundation
import IR
import Testing

@testable import Caffe

struct FoldTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try write(conv2: "")
  }

  private static let fold = ["fold", "net.prototxt", "net.caffemodel"]
  private static let output = ["-o", "out.prototxt", "out.caffemodel"]

  /// Writes a net for pictures of 4x4 pixels. Of the four filters of conv1 two are zero; one of these has a
  /// bias of 1, the other one of -2, which the ReLU cuts off.
  private func write(conv2: String) throws {
    try workplace.write(
      """
      name: "tiny"
      layer {
        name: "data" type: "Input" top: "data"
        input_param { shape { dim: 10 dim: 1 dim: 4 dim: 4 } }
      }
      layer {
        name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 }
      }
      layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
      layer {
        name: "conv2" type: "Convolution" bottom: "conv1" top: "conv2"
        convolution_param { num_output: 2 kernel_size: 3 \(conv2) }
      }
      layer {
        name: "ip" type: "InnerProduct" bottom: "conv2" top: "ip"
        inner_product_param { num_output: 3 }
      }

      """, "net.prototxt")
    let side = conv2.isEmpty ? 2 : 4
    try workplace.write(
      weights: [
        ("conv1", "Convolution", [try tensor([4, 1, 3, 3], dead: [0, 1]), try tensor([4])]),
        ("conv2", "Convolution", [try tensor([2, 4, 3, 3]), try tensor([2])]),
        ("ip", "InnerProduct", [try tensor([3, 2 * side * side]), try tensor([3])]),
      ], "net.caffemodel")
  }

  /// Small integers, so that no order of summation rounds; some rows are zero.
  private func tensor(_ extents: [Int], dead: [Int] = []) throws -> Tensor {
    let shape = try Shape(extents)
    let row = shape.count / extents[0]
    let values = (0..<shape.count).map { index in
      dead.contains(index / row) ? 0 : Float((index * 7 + 3) % 5 - 2)
    }
    return Tensor(shape: shape, values: values)
  }

  private func scores(_ net: String) throws -> String {
    let compiled = try workplace.sparsec(
      "compile", "\(net).prototxt", "\(net).caffemodel", "-o", "\(net).so")
    try #require(compiled.status == 0, "\(compiled.errors)")
    try workplace.writeImage((0..<16).map { UInt8($0 * $0) }, "a.png")
    let run = try workplace.sparsec("run", "\(net).so", "a.png", "--format", "json")
    try #require(run.status == 0, "\(run.errors)")
    return run.output
  }

  @Test func `a net with dead filters becomes smaller and computes the same`() throws {
    let outcome = try workplace.sparsec(Self.fold + Self.output)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("drop-unread-channels"))
    #expect(outcome.output.contains("check: OK, 1 output compared, largest error 0 "))
    #expect(
      outcome.output.hasSuffix(
        "out.prototxt, out.caffemodel: 4 layers (4 before), 340 B of weights (564 B before)\n"),
      "\(outcome.output)")
    let folded = try Prototxt.read(workplace.path("out.prototxt"), as: .net).message
    let convolutions = folded.messages("layer").filter { $0.string("type") == "Convolution" }
    #expect(convolutions.map { $0.message("convolution_param").integer("num_output") } == [2, 2])
    let sizes = try ["net", "out"].map { try workplace.bytes("\($0).caffemodel").count }
    #expect(sizes[1] < sizes[0])
    #expect(try scores("out") == scores("net"))
  }

  @Test func `what was folded has nothing left to fold`() throws {
    #expect(try workplace.sparsec(Self.fold + Self.output).status == 0)
    let again = try workplace.sparsec(
      "fold", "out.prototxt", "out.caffemodel", "-o", "two.prototxt", "two.caffemodel")
    #expect(again.output.hasPrefix("nothing could be removed\n"), "\(again.output)")
    #expect(try workplace.bytes("two.prototxt") == workplace.bytes("out.prototxt"))
    #expect(try workplace.bytes("two.caffemodel") == workplace.bytes("out.caffemodel"))
  }

  @Test func `the report is JSON on request`() throws {
    let outcome = try workplace.sparsec(Self.fold + Self.output + ["--format", "json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let report = try #require(json as? [String: Any])
    #expect(report["ok"] as? Bool == true)
    let passes = try #require(report["passes"] as? [[String: Any]])
    let dropped = passes.first { $0["name"] as? String == "drop-unread-channels" }
    #expect(dropped?["filters"] as? Int == 2)
    #expect(dropped?["bytes"] as? Int == 224)
    #expect(report["removed"] as? [[String: Any]] != nil)
    let check = try #require(report["check"] as? [String: Any])
    #expect((check["outputs"] as? [[String: Any]])?.first?["name"] as? String == "ip")
  }

  @Test func `what Caffe cannot say stays, with the reason`() throws {
    // Behind zero padding the constant channel counts less at the border.
    try write(conv2: "pad: 1")
    let outcome = try workplace.sparsec(Self.fold + Self.output)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("layer \"conv2\" (Convolution): "), "\(outcome.errors)")
    let folded = try Prototxt.read(workplace.path("out.prototxt"), as: .net).message
    let filters = folded.messages("layer").filter { $0.string("name") == "conv1" }
      .map { $0.message("convolution_param").integer("num_output") }
    // The other dead filter has no bias that its ReLU would let through.
    #expect(filters == [3])
    #expect(try scores("out") == scores("net"))
  }

  @Test func `a net for training becomes one for testing`() throws {
    let definition = try workplace.text("net.prototxt")
    let trainable =
      definition.replacing(
        "name: \"data\" type: \"Input\" top: \"data\"",
        with: "name: \"data\" type: \"Data\" top: \"data\" top: \"label\""
      ).replacing(
        "input_param { shape { dim: 10 dim: 1 dim: 4 dim: 4 } }",
        with: "data_param { source: \"x\" batch_size: 10 }")
        + """
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }

        """
    try workplace.write(trainable, "net.prototxt")
    try expectRefusal(workplace, Self.fold + Self.output, "--input-shape data=CxHxW")
    let outcome = try workplace.sparsec(Self.fold + Self.output + ["--input-shape", "1x4x4"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("left out, for training and testing only: loss"))
    #expect(outcome.errors.contains("out.prototxt: note: the network for testing"))
    let folded = try Prototxt.read(workplace.path("out.prototxt"), as: .net).message
    #expect(
      folded.messages("layer").map { $0.string("type") }
        == ["Input", "Convolution", "ReLU", "Convolution", "InnerProduct"])
  }

  @Test func `the comparison can be left out`() throws {
    let outcome = try workplace.sparsec(Self.fold + Self.output + ["--no-check"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!outcome.output.contains("check: "))
    #expect(try workplace.contents().contains("out.prototxt"))
  }

  @Test func `bad input is one line, and leaves nothing`() throws {
    let fold = Self.fold
    try expectRefusal(
      workplace, ["fold", "gone.prototxt", "net.caffemodel"] + Self.output, "gone.prototxt: ")
    try expectRefusal(
      workplace, ["fold", "net.prototxt", "gone.caffemodel"] + Self.output, "gone.caffemodel: ")
    try expectRefusal(
      workplace, fold + ["-o", "no/out.prototxt", "out.caffemodel"],
      "no/out.prototxt: cannot be written")
    try expectRefusal(
      workplace, fold + ["-o", "out.prototxt", "."], ".: is a folder; name a file")
    try expectRefusal(
      workplace, fold + ["-o", "same", "./same"], "./same: is to be the definition and the weights")
    try workplace.write(
      weights: [("conv1", "Convolution", [try tensor([3, 1, 3, 3]), try tensor([3])])],
      "net.caffemodel")
    try expectRefusal(workplace, fold + Self.output, "where the net needs [4,1,3,3]")
    try workplace.write("layer { name: \"a\" typo: 1 }", "net.prototxt")
    try expectRefusal(workplace, fold + Self.output, "net.prototxt:1:")
  }

  @Test func `what is folded is not overwritten`() throws {
    #expect(try workplace.shell("ln -s net.prototxt link; ln net.caffemodel twin").status == 0)
    for (first, second) in [
      ("net.prototxt", "out.caffemodel"), ("out.prototxt", "./net.caffemodel"),
      ("link", "out.caffemodel"), ("out.prototxt", "twin"), ("net.caffemodel", "net.prototxt"),
    ] {
      try expectRefusal(
        workplace, Self.fold + ["-o", first, second], "is the network to fold; name other files")
    }
  }

  @Test func `what lies there stays when folding fails`() throws {
    try workplace.write("precious", "out.prototxt")
    try workplace.write("precious", "out.caffemodel")
    try workplace.write([], "net.caffemodel")
    try expectRefusal(workplace, Self.fold + Self.output, "net.caffemodel: is empty")
    for file in ["out.prototxt", "out.caffemodel"] {
      #expect(try workplace.text(file) == "precious")
    }
  }

  @Test func `two files are to be named`() throws {
    for output in [[], ["-o"], ["-o", "a.prototxt"], ["-o", "a", "b", "c"]] {
      let outcome = try workplace.sparsec(Self.fold + output)
      #expect(outcome.status == 64, "\(output): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    #expect(try workplace.contents() == ["net.caffemodel", "net.prototxt"])
  }
}
