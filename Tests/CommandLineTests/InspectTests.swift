import Foundation
import Testing

struct InspectTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try SampleNet.write(to: workplace)
  }

  @Test func `shows a net with its weights`() throws {
    let outcome = try workplace.sparsec("inspect", "net.prototxt", "net.caffemodel")
    #expect(
      outcome.output == """
        net tiny
        input data: 1x1x4x4
        output ip: 1x3

        layer  type          output  parameters  multiply-adds
        ip     InnerProduct  1x3             51             48
        relu   ReLU          1x3              0              0

        zeros        elements  filters  columns  channels  kernels      blocks
        ip     31/48 (64.6 %)      1/3     0/16      0/16    31/48  0/4 of 4x4

        2 layers, 51 parameters (204 B), 48 multiply-adds (96 FLOP), 88 B of blobs

        """, "\(outcome.errors)")
    #expect(outcome.errors.isEmpty)
  }

  @Test func `shows a caffemodel, whatever its name`() throws {
    try workplace.write(workplace.bytes("net.caffemodel"), "weights.txt")
    let outcome = try workplace.sparsec("inspect", "weights.txt")
    #expect(
      outcome.output == """
        caffemodel tiny, current format

        layer  type          blobs
        ip     InnerProduct  3x16 3

        zeros        elements  filters  columns  channels  kernels      blocks
        ip     31/48 (64.6 %)      1/3     0/16      0/16    31/48  0/4 of 4x4

        1 layer with blobs of 1, 51 parameters (204 B)

        """)
  }

  @Test func `counts the blocks that are asked for, or those that the net was trained with`() throws
  {
    func line(_ definition: String, _ options: String...) throws -> Substring? {
      try workplace.write(definition, "net.prototxt")
      let outcome = try workplace.sparsec(
        ["inspect", "net.prototxt", "net.caffemodel"] + options)
      return outcome.output.split(separator: "\n").first {
        $0.hasPrefix("ip  ") && $0.contains("%")
      }
      .map { $0.drop { $0 != "%" }.dropFirst(2) }
    }
    let plain = SampleNet.definition
    #expect(try line(plain)?.hasSuffix("0/4 of 4x4") == true)
    #expect(
      try line(plain, "--block", "1x16", "--block", "2x8")?
        .hasSuffix("1/3 of 1x16, 2/4 of 2x8") == true)
    let trained = plain.replacing(
      "inner_product_param",
      with: "param { block_group_lasso { xdimen: 16 ydimen: 1 } } inner_product_param")
    #expect(try line(trained)?.hasSuffix("1/3 of 1x16") == true)
    #expect(try line(trained, "--block", "3x1")?.hasSuffix("0/16 of 3x1") == true)
    for size in ["0x1", "4", "axb", "1x2x3"] {
      let outcome = try workplace.sparsec("inspect", "net.prototxt", "--block", size)
      #expect(outcome.status == 64)
    }
    try workplace.write(trained.replacing("ydimen: 1", with: "ydimen: 0"), "net.prototxt")
    let outcome = try workplace.sparsec("inspect", "net.prototxt", "net.caffemodel")
    #expect(outcome.errors.contains("net.prototxt:8:"))
    #expect(outcome.errors.contains("blocks of 0 rows and 16 columns cannot be counted"))
  }

  @Test func `every kind of file has a document`() throws {
    try workplace.write("base_lr: 0.01", "solver.prototxt")
    // Iteration 100, current step 2.
    try workplace.write([0x08, 100, 0x20, 2], "net.solverstate")
    for (arguments, kind) in [
      (["net.prototxt"], "net"), (["net.prototxt", "net.caffemodel"], "net"),
      (["net.caffemodel"], "caffemodel"), (["solver.prototxt"], "solver"),
      (["net.solverstate"], "solverstate"),
    ] {
      let outcome = try workplace.sparsec(["inspect"] + arguments + ["--format", "json"])
      let json = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      let document = try #require(json as? [String: Any], "\(outcome.errors)")
      #expect(document["kind"] as? String == kind)
    }
    let state = try workplace.sparsec("inspect", "net.solverstate")
    #expect(state.output == "solverstate of iteration 100, step 2\n0 history blobs\n")
  }

  @Test func `a compiled network's document is its report`() throws {
    let compiled = try SampleNet.shared()
    let outcome = try workplace.sparsec("inspect", compiled.network(), "--format", "json")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let report = try #require(json as? [String: Any])
    #expect(
      Set(report.keys).isSuperset(of: [
        "layers", "removed", "folded", "kept", "reduced", "passes", "source", "memory",
      ]))
    let text = try workplace.sparsec("inspect", compiled.network())
    #expect(text.output.hasPrefix("network tiny for x86-64-v3, by sparsec "))
    #expect(text.output.contains("\nbatches of up to 3\n3 labels\n"))
  }

  @Test func `what cannot be looked into is refused in one line`() throws {
    try workplace.write("", "empty")
    try workplace.write([0x89, 0x50, 0x4e, 0x47, 0, 0], "picture.png")
    try expectRefusal(workplace, ["inspect", "empty"], "empty: is empty")
    try expectRefusal(workplace, ["inspect", "gone"], "gone: there is no such file")
    try expectRefusal(workplace, ["inspect", "."], "is a folder")
    try expectRefusal(workplace, ["inspect", "picture.png"], "picture.png: ")
    try expectRefusal(
      workplace, ["inspect", "net.caffemodel", "net.caffemodel"], "weights go with a prototxt")
    try expectRefusal(
      workplace, ["inspect", "net.prototxt", "net.prototxt"], "are two files swapped?")
  }
}
