import CImageEncoders
import Foundation
import TestSupport
import Testing

struct ConvertDataTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  private func word(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  private func writeMNIST() throws {
    try workplace.write(
      word(2051) + word(2) + word(2) + word(2) + [0, 1, 2, 3, 4, 5, 6, 9], "images")
    try workplace.write(word(2049) + word(2) + [7, 0], "labels")
  }

  @Test func `MNIST becomes an LMDB, and that a mean`() throws {
    try writeMNIST()
    let made = try workplace.sparsec("convert", "mnist", "images", "labels", "-o", "lmdb")
    #expect(made.output == "lmdb: 2 records\n", "\(made.errors)")
    #expect(
      try workplace.contents() == ["images", "labels", "lmdb", "lmdb/data.mdb", "lmdb/lock.mdb"])
    let mean = try workplace.sparsec("convert", "mean", "lmdb", "-o", "mean.binaryproto")
    #expect(mean.output == "mean.binaryproto: mean of 1 x 2 x 2\n", "\(mean.errors)")
    // num, channels, height, width, and packed floats 2, 3, 4, 6.
    #expect(
      try workplace.bytes("mean.binaryproto") == [
        0x08, 1, 0x10, 1, 0x18, 2, 0x20, 2, 0x2a, 16, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80,
        0x40, 0, 0, 0xc0, 0x40,
      ])
  }

  @Test func `what is wrong with data leaves nothing behind`() throws {
    try writeMNIST()
    try expectRefusal(
      workplace, ["convert", "mnist", "labels", "labels", "-o", "lmdb"], "labels: is no IDX file")
    try expectRefusal(
      workplace, ["convert", "mnist", "images", "no", "-o", "lmdb"], "no: there is no such file")
    try expectRefusal(
      workplace, ["convert", "mnist", "images", "labels", "-o", "no/lmdb"], "no/lmdb: cannot be")
    try expectRefusal(
      workplace, ["convert", "mnist", "images", "labels", "-o", "images"], "images: is a file")
    try expectRefusal(
      workplace, ["convert", "mnist", "images", "labels", "-o", "."], "name a new folder")
    try expectRefusal(
      workplace, ["convert", "cifar10", ".", "-o", "out"], "data_batch_1.bin: there is no such")
    try expectRefusal(workplace, ["convert", "mean", "no", "-o", "m"], "no: there is no such LMDB")
    try workplace.write("a.png 1\n", "list")
    try expectRefusal(
      workplace, ["convert", "images", "list", ".", "-o", "lmdb"], "list:1:1: ./a.png: cannot be")
  }

  /// Caffe's own script writes beside the prototxts of examples/cifar10.
  @Test func `CIFAR-10 is put beside what lies in the folder, all or nothing`() throws {
    // 10,000 black pictures of class 0 in each file.
    let zeros = try workplace.shell(
      "mkdir bin out; head -c 30730000 /dev/zero | gzip -1 > bin/test_batch.bin; "
        + "for n in 1 2 3 4 5; do cp bin/test_batch.bin bin/data_batch_$n.bin; done; "
        + "echo net > out/net.prototxt; mkdir out/cifar10_test_lmdb")
    #expect(zeros.status == 0, "\(zeros.errors)")
    try expectRefusal(
      workplace, ["convert", "cifar10", "bin", "-o", "out"],
      "out/cifar10_test_lmdb: is there already; remove it, or name another folder")
    try FileManager.default.removeItem(atPath: workplace.path("out/cifar10_test_lmdb"))
    try workplace.write([1, 2, 3], "bin/data_batch_5.bin")
    try expectRefusal(
      workplace, ["convert", "cifar10", "bin", "-o", "out"], "bin/data_batch_5.bin: has 3 bytes")
    #expect(try workplace.shell("cp bin/test_batch.bin bin/data_batch_5.bin").status == 0)
    for output in ["out", "out/new"] {
      let made = try workplace.sparsec("convert", "cifar10", "bin", "-o", output)
      #expect(
        made.output == """
          \(output)/cifar10_train_lmdb: 50000 records
          \(output)/cifar10_test_lmdb: 10000 records
          \(output)/mean.binaryproto: mean of 3 x 32 x 32

          """, "\(made.errors)")
    }
    let parts = ["cifar10_test_lmdb", "cifar10_train_lmdb", "mean.binaryproto"]
    func names(_ folder: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: workplace.path(folder)).sorted()
    }
    #expect(try names("out") == parts + ["net.prototxt", "new"])
    #expect(try names("out/new") == parts)
    #expect(try workplace.text("out/net.prototxt") == "net\n")
  }

  @Test func `pictures become an LMDB of the wished size`() throws {
    try workplace.writeImage(Array(0..<16), "a.png")
    try workplace.write("a.png 1\na.png 2\n", "list")
    let made = try workplace.sparsec(
      "convert", "images", "list", ".", "-o", "lmdb", "--resize", "3x5", "--gray", "--shuffle",
      "--encoded")
    #expect(made.output == "lmdb: 2 records\n", "\(made.errors)")
    let mean = try workplace.sparsec("convert", "mean", "lmdb", "-o", "mean.binaryproto")
    #expect(mean.output == "mean.binaryproto: mean of 1 x 3 x 5\n", "\(mean.errors)")
    let wrong = try workplace.sparsec(
      "convert", "images", "list", ".", "-o", "x", "--resize", "3")
    #expect(wrong.status == 64)
  }
}

struct PlotTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test func `logs are drawn into either kind of file`() throws {
    try workplace.write(
      """
      {"kind": "train", "iteration": 0, "loss": 2.5}
      {"kind": "train", "iteration": 10, "loss": 1.5}

      """, "log.json")
    for name in ["a.svg", "a.png", "b.PNG", "b.svg"] {
      let drawn = try workplace.sparsec("plot", "log.json", "log.json", "-o", name)
      #expect(drawn.output == "\(name): 4 points\n", "\(drawn.errors)")
      #expect(try workplace.bytes(name).count > 1000)
    }
    #expect(try workplace.contents() == ["a.png", "a.svg", "b.PNG", "b.svg", "log.json"])
    #expect(try workplace.bytes("a.png") == workplace.bytes("b.PNG"))
    #expect(try workplace.bytes("a.svg") == workplace.bytes("b.svg"))
  }

  @Test func `what cannot be drawn is refused`() throws {
    try workplace.write("hello\n", "log")
    try expectRefusal(workplace, ["plot", "log", "-o", "a.svg"], "log: has no losses")
    try expectRefusal(workplace, ["plot", "no", "-o", "a.svg"], "no: there is no such file")
    try expectRefusal(workplace, ["plot", "log", "-o", "a.pdf"], "ends in .svg or .png")
    try workplace.write("{\"kind\": \"train\", \"iteration\": 0, \"loss\": 2.5}\n", "log")
    try expectRefusal(workplace, ["plot", "log", "-o", "no/a.svg"], "no/a.svg: cannot be written")
  }

  @Test(.enabled(if: SharedFiles.find("data/logs") != nil, "needs ../shared/data/logs"))
  func `real logs are drawn as they are, compressed`() throws {
    let folder = try #require(SharedFiles.find("data/logs")).path
    let drawn = try workplace.sparsec(
      "plot", "\(folder)/lenet_ssl_train.info.gz", "\(folder)/cifar10_full_ssl_train.info.gz",
      "-o", "both.svg")
    #expect(drawn.status == 0, "\(drawn.errors)")
    let text = try workplace.text("both.svg")
    #expect(text.hasSuffix("</svg>\n"))
  }
}
