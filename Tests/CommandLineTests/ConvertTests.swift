import Foundation
import Testing

struct ConvertTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try SampleNet.write(to: workplace)
  }

  @Test func `weights go to Matrix Market and come back unchanged`() throws {
    let away = try workplace.sparsec("convert", "weights", "net.caffemodel", "-o", "folder")
    #expect(away.output == "folder: 2 files\n")
    #expect(away.status == 0)
    #expect(
      try workplace.contents().filter { $0.hasPrefix("folder") } == [
        "folder", "folder/ip.weight", "folder/ip_bias.weight",
      ])
    let back = try workplace.sparsec(
      "convert", "weights", "folder", "--net", "net.prototxt", "-o", "back.caffemodel")
    #expect(back.output == "back.caffemodel: 1 layer\n", "\(back.errors)")
    #expect(try workplace.bytes("back.caffemodel") == workplace.bytes("net.caffemodel"))
  }

  @Test func `a folder that is in use is left alone`() throws {
    try expectRefusal(
      workplace, ["convert", "weights", "net.caffemodel", "-o", "."], "name a new folder")
    try expectRefusal(
      workplace, ["convert", "weights", "net.caffemodel", "-o", "no/folder"], "no/folder: ")
    try expectRefusal(
      workplace, ["convert", "weights", "net.caffemodel", "--net", "net.prototxt", "-o", "x"],
      "is no folder")
    try expectRefusal(
      workplace, ["convert", "weights", ".", "--net", "net.prototxt", "-o", "x.caffemodel"],
      "ip.weight")
  }

  @Test func `an old prototxt is brought up to date`() throws {
    try workplace.write(
      """
      input: "data" input_dim: 1 input_dim: 1 input_dim: 4 input_dim: 4
      layers { name: "ip" type: INNER_PRODUCT bottom: "data" top: "ip"
               inner_product_param { num_output: 3 } }
      """, "old.prototxt")
    let outcome = try workplace.sparsec("convert", "upgrade", "old.prototxt", "-o", "new.prototxt")
    #expect(outcome.output == "new.prototxt: net, upgraded\n", "\(outcome.errors)")
    let text = try workplace.text("new.prototxt")
    #expect(text.contains("type: \"InnerProduct\"") && !text.contains("layers"))
    let again = try workplace.sparsec("convert", "upgrade", "new.prototxt", "-o", "same.prototxt")
    #expect(again.output == "same.prototxt: net, was current already\n")
    #expect(try workplace.text("same.prototxt") == text)
    let old = try workplace.sparsec("inspect", "old.prototxt", "net.caffemodel")
    let new = try workplace.sparsec("inspect", "new.prototxt", "net.caffemodel")
    #expect(old.output == new.output)
    #expect(old.status == 0, "\(old.errors)")
  }

  @Test func `a current caffemodel stays as it is`() throws {
    let outcome = try workplace.sparsec(
      "convert", "upgrade", "net.caffemodel", "-o", "new.caffemodel")
    #expect(outcome.output == "new.caffemodel: caffemodel, was current already\n")
    #expect(try workplace.bytes("new.caffemodel") == workplace.bytes("net.caffemodel"))
    try expectRefusal(
      workplace, ["convert", "upgrade", "net.caffemodel", "-o", "no/new.caffemodel"], "no/new")
    try expectRefusal(
      workplace, ["convert", "upgrade", "net.prototxt", "-o", "no/new.prototxt"], "no/new")
  }
}
