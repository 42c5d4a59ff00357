import Foundation
import NumPy
import Testing

struct CompileTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try SampleNet.write(to: workplace)
  }

  private static let compile = ["compile", "net.prototxt", "net.caffemodel"]

  @Test func `prints what became of every layer`() throws {
    let compiled = try SampleNet.shared()
    _ = try compiled.network()
    let output = compiled.outcome.output
    #expect(output.contains("ip+relu  InnerProduct  inner_product_"))
    // The layer that took it in names it.
    #expect(!output.contains("fused into"))
    #expect(output.contains("net.so: network tiny for x86-64-v3, batches of up to 3, 1 layer, "))
    #expect(compiled.outcome.errors.isEmpty)
  }

  @Test func `an interruption leaves nothing behind`() throws {
    let outcome = try workplace.shell(
      """
      mkdir scratch result
      TMPDIR=$PWD/scratch "$SPARSEC" compile net.prototxt net.caffemodel -o result/net.so &
      while [ -z "$(ls scratch)" ]; do :; done
      kill -TERM $!
      wait $!
      echo "status $?"
      ls scratch result
      """)
    #expect(outcome.output == "status 143\nresult:\n\nscratch:\n")
  }

  @Test func `what is kept builds the same network again`() throws {
    let outcome = try workplace.sparsec(
      Self.compile + [
        "-o", "net.so", "--keep-c", "kept", "--header", "sparsec.h", "--report", "report.json",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try workplace.text("sparsec.h").contains("sparsec_run"))
    let json = try JSONSerialization.jsonObject(with: Data(workplace.bytes("report.json")))
    let report = try #require(json as? [String: Any])
    #expect(Set(report.keys).isSuperset(of: ["layers", "removed", "passes", "memory"]))
    let made = try workplace.shell("make -s -C kept CC=\"${SPARSEC_CLANG:-clang}\"")
    #expect(made.status == 0, "\(made.errors)")
    try workplace.writeImage([UInt8](repeating: 4, count: 16), "a.png")
    let original = try workplace.sparsec("run", "net.so", "a.png")
    let rebuilt = try workplace.sparsec("run", "kept/net.so", "a.png")
    #expect(original.output.hasPrefix("a.png\n  16.0000      0\n"), "\(original.errors)")
    #expect(rebuilt.output == original.output)
  }

  @Test func `prints the network in its forms and makes no file`() throws {
    let before = try workplace.contents()
    let graph = try workplace.sparsec(Self.compile + ["--emit", "ir"])
    #expect(
      graph.output.hasPrefix(
        """
        graph "tiny" per item
          input %0 "data" [1,1,4,4]
          "ip" InnerProduct(%0) outputs=3 activation=ReLU fused="relu" -> %2 "ip" [1,3]

        """), "\(graph.output)")
    let lowered = try workplace.sparsec(Self.compile + ["--emit", "ir-lowered"])
    #expect(lowered.output.contains("    kernel inner_product_"))
    #expect(lowered.output.contains("    layout %0 dense, 16 floats"))
    let text = try workplace.sparsec(Self.compile + ["--emit", "c"])
    #expect(text.output.hasPrefix("/* net.c: the network \"tiny\""))
    #expect(try workplace.sparsec(Self.compile + ["--emit", "c"]).output == text.output)
    #expect(try workplace.contents() == before)
  }

  @Test func `prints the graph behind a pass, and leaves out passes`() throws {
    let outcome = try workplace.sparsec(
      Self.compile + ["--emit", "ir", "--print-after", "fuse-activations"])
    #expect(outcome.errors == "after fuse-activations:\n\(outcome.output)\n")
    let without = try workplace.sparsec(
      Self.compile + ["--emit", "ir", "--disable-pass", "fuse-activations"])
    #expect(
      without.output.contains("\"relu\" Elementwise") || without.output.contains("\"relu\" ReLU"))
  }

  @Test func `an unknown field is an error with a place, or a warning`() throws {
    let text = SampleNet.definition.replacing("num_output: 3", with: "num_output: 3 num_outputs: 4")
    try workplace.write(text, "net.prototxt")
    try expectRefusal(workplace, Self.compile + ["--emit", "ir"], "net.prototxt:8:39: ")
    let outcome = try workplace.sparsec("inspect", "net.prototxt", "--allow-unknown-fields")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("warning: "))
  }

  @Test func `impossible wishes are refused in one line`() throws {
    let output = Self.compile + ["-o", "net.so"]
    try expectRefusal(workplace, output + ["--target", "z80"], "--target z80: ")
    try expectRefusal(workplace, output + ["--batch", "0"], "--batch 0: ")
    try expectRefusal(workplace, output + ["--kernel", "ip=magic"], "--kernel ip=magic: ")
    try expectRefusal(workplace, output + ["--kernel", "fc9=magic"], "no layer of this name")
    try expectRefusal(workplace, output + ["--disable-pass", "magic"], "no such pass; there are ")
    try expectRefusal(workplace, output + ["--print-after", "magic"], "no such pass; there are ")
    try expectRefusal(workplace, output + ["--labels", "gone.txt"], "gone.txt: ")
    try expectRefusal(workplace, output + ["--mean", "gone.binaryproto"], "gone.binaryproto: ")
    try expectRefusal(
      workplace, Self.compile + ["-o", "no/net.so"], "no/net.so: cannot be written")
    try expectRefusal(workplace, Self.compile + ["-o", "."], "is a folder; name a file")
    try workplace.write(SampleNet.fixedDefinition, "net.prototxt")
    try expectRefusal(workplace, output + ["--batch", "4"], "batch is fixed at the file's size")
  }

  @Test func `wrong usage has a status of its own`() throws {
    for arguments in [
      Self.compile,
      Self.compile + ["-o", "a.so", "--tune", "measure", "--target", "x86-64-v3"],
      Self.compile + ["-o", "a.so", "--weights", "compressed"],
      Self.compile + ["-o", "a.so", "--input-shape", "0x3"],
      Self.compile + ["-o", "a.so", "--kernel", "conv1"], ["compile"], ["train"],
      ["run", "net.so"],
      ["run", "net.so", "a.png", "--input", "x.npy"], ["run", "net.so", "a.png", "--blobs"],
    ] {
      let outcome = try workplace.sparsec(arguments)
      #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
      #expect(!outcome.errors.isEmpty)
    }
  }

  @Test func `a reader that goes away ends the program without a word`() throws {
    // Much more than what a pipe holds, so that the tool is still writing.
    try workplace.writeImage([UInt8](repeating: 4, count: 16), "a.png")
    let images = [String](repeating: "a.png", count: 3000).joined(separator: " ")
    let net = try SampleNet.shared().network()
    let outcome = try workplace.shell(
      "{ \"$SPARSEC\" run \(net) \(images); echo $? > status; } | head -n 1")
    #expect(outcome.output == "a.png\n")
    #expect(outcome.errors.isEmpty)
    // 128 + SIGPIPE, as the shell says it.
    #expect(try workplace.text("status") == "141\n")
  }
}
