import Foundation
import IR
import NumPy
import Testing

struct RunTests {
  let workplace: Workplace
  let net: String

  init() throws {
    workplace = try Workplace()
    net = try SampleNet.shared().network()
    try workplace.writeImage([UInt8](repeating: 4, count: 16), "b.png")
    try workplace.writeImage([200] + [UInt8](repeating: 0, count: 15), "a.png")
  }

  @Test func `prints the best classes of every image, folders in order`() throws {
    let outcome = try workplace.sparsec("run", net, ".", "--top", "2")
    #expect(
      outcome.output == """
        ./a.png
          200.0000      1  first
          50.0000      0  dark
        ./b.png
          16.0000      0  dark
          7.0000      2  seven

        """)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.status == 0)
  }

  @Test func `prints one object a line, whatever the batch and the threads`() throws {
    let lines =
      #"{"image":"a.png","top":[{"index":1,"label":"first","score":200},"#
      + #"{"index":0,"label":"dark","score":50},{"index":2,"label":"seven","score":7}]}"# + "\n"
      + #"{"image":"b.png","top":[{"index":0,"label":"dark","score":16},"#
      + #"{"index":2,"label":"seven","score":7},{"index":1,"label":"first","score":4}]}"# + "\n"
    for options in [
      [], ["--batch", "3"], ["--threads", "2"], ["--batch", "2", "--threads", "3"],
    ] {
      let outcome = try workplace.sparsec(
        ["run", net, "a.png", "b.png", "--format", "json"] + options)
      #expect(outcome.output == lines, "\(options)")
      #expect(outcome.status == 0)
    }
  }

  @Test func `any output can rank the classes`() throws {
    let definition =
      SampleNet.definition + """
        layer {
          name: "negative" type: "Power" bottom: "ip" top: "negative" power_param { scale: -1 }
        }
        layer { name: "same" type: "Power" bottom: "ip" top: "same" }

        """
    try workplace.write(definition, "heads.prototxt")
    try workplace.write(weights: SampleNet.weights, "heads.caffemodel")
    _ = try workplace.sparsec("compile", "heads.prototxt", "heads.caffemodel", "-o", "heads.so")
    func best(_ options: String...) throws -> String {
      try workplace.sparsec(["run", "heads.so", "b.png", "--top", "1"] + options).output
    }
    #expect(try best() == "b.png\n  -4.0000      1\n")
    #expect(try best("--scores", "same") == "b.png\n  16.0000      0\n")
    let refused = try workplace.sparsec("run", "heads.so", "b.png", "--scores", "ip")
    #expect(refused.errors == "heads.so: --scores ip: the network's outputs are negative, same\n")
    #expect(refused.status == 1)
  }

  @Test func `options change what was built in`() throws {
    try workplace.write("x\ny\nz\n", "other.txt")
    let outcome = try workplace.sparsec(
      "run", net, "b.png", "--labels", "other.txt", "--mean", "2", "--scale", "0.5", "--top", "1")
    // (4 - 2) / 2 is 1 for each pixel.
    #expect(outcome.output == "b.png\n  7.0000      2  z\n")
  }

  @Test func `a broken image gets one line, and the others go on`() throws {
    try workplace.write("no image", "c.txt")
    try workplace.write(Array(try workplace.bytes("a.png").prefix(50)), "0.png")
    let outcome = try workplace.sparsec("run", net, ".", "--top", "1", "--batch", "2")
    #expect(
      outcome.output == """
        ./a.png
          200.0000      1  first
        ./b.png
          16.0000      0  dark

        """)
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.contains { $0.contains("c.txt") && $0.contains("not a JPEG or PNG image") })
    #expect(lines.contains { $0.hasPrefix("./0.png: damaged PNG image") })
    #expect(outcome.status == 1)
  }

  @Test func `arrays of any number of rows are run in chunks, and all come back`() throws {
    let rows = 5
    var values: [Float] = []
    var scores: [Float] = []
    for row in 1...rows {
      let pixel = Float(row)
      values += [pixel] + [Float](repeating: 0, count: 15)
      scores += [pixel / 4, pixel, 7]
    }
    try workplace.write(NumPyArray(shape: [rows, 1, 4, 4], values: values), "x.npy")
    for batch in ["1", "2", "3"] {
      let outcome = try workplace.sparsec(
        "run", net, "--input", "data=x.npy", "--output", "o.npz", "--blobs", "--batch", batch)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("x.npy[0]\n  7.0000      2  seven\n"))
      let archive = try NumPyArchive.read(contentsOf: workplace.path("o.npz"))
      #expect(Set(archive.keys) == ["data", "ip"])
      #expect(archive["ip"] == NumPyArray(shape: [rows, 3], values: scores))
      #expect(archive["data"] == NumPyArray(shape: [rows, 1, 4, 4], values: values))
    }
  }

  @Test func `without --blobs the archive has the outputs only`() throws {
    try workplace.write(
      NumPyArray(shape: [1, 4, 4], values: [Float](repeating: 1, count: 16)), "x.npy")
    let outcome = try workplace.sparsec("run", net, "--input", "x.npy", "--output", "o.npz")
    #expect(outcome.output.hasPrefix("x.npy\n"))
    let archive = try NumPyArchive.read(contentsOf: workplace.path("o.npz"))
    #expect(archive.keys == ["ip"])
    #expect(archive["ip"] == NumPyArray(shape: [1, 3], values: [4, 1, 7]))
  }

  @Test func `a network of a fixed batch takes any number of images and rows`() throws {
    let fixed = try SampleNet.sharedFixed().network()
    let images = try workplace.sparsec(
      "run", fixed, "a.png", "b.png", "a.png", "--top", "1", "--format", "json")
    #expect(
      images.output == """
        {"image":"a.png","top":[{"index":1,"score":199}]}
        {"image":"b.png","top":[{"index":0,"score":12}]}
        {"image":"a.png","top":[{"index":1,"score":199}]}

        """, "\(images.errors)")
    let values = (0..<48).map { Float($0 / 16) }
    try workplace.write(NumPyArray(shape: [3, 1, 4, 4], values: values), "x.npy")
    let arrays = try workplace.sparsec("run", fixed, "--input", "x.npy", "--output", "o.npz")
    #expect(arrays.status == 0, "\(arrays.errors)")
    let archive = try NumPyArchive.read(contentsOf: workplace.path("o.npz"))
    #expect(
      archive["scores"] == NumPyArray(shape: [3, 3], values: [0, 0, 7, 4, 1, 7, 8, 2, 7]))
  }

  @Test func `several inputs are told apart by name`() throws {
    let sum = try Workplace()
    try sum.write(
      """
      layer { name: "in" type: "Input" top: "a" top: "b"
              input_param { shape { dim: 1 dim: 2 } } }
      layer { name: "difference" type: "Eltwise" bottom: "a" bottom: "b" top: "difference"
              eltwise_param { coeff: 1 coeff: -1 } }
      layer { name: "ip" type: "InnerProduct" bottom: "difference" top: "ip"
              inner_product_param { num_output: 1 bias_term: false } }
      """, "net.prototxt")
    try sum.write(
      weights: [("ip", "InnerProduct", [Tensor(shape: try Shape([1, 2]), values: [1, 10])])],
      "net.caffemodel")
    let compiled = try sum.sparsec("compile", "net.prototxt", "net.caffemodel", "-o", "net.so")
    try #require(compiled.status == 0, "\(compiled.errors)")
    try sum.write(NumPyArray(shape: [2, 2], values: [5, 5, 1, 1]), "x.npy")
    try sum.write(NumPyArray(shape: [2, 2], values: [1, 2, 0, 0]), "y.npy")
    let outcome = try sum.sparsec("run", "net.so", "--input", "b=y.npy", "--input", "a=x.npy")
    #expect(
      outcome.output == """
        x.npy[0]
          34.0000      0
        x.npy[1]
          11.0000      0

        """, "\(outcome.errors)")
    try expectRefusal(sum, ["run", "net.so", "--input", "b=y.npy"], "input a is missing")
    try expectRefusal(sum, ["run", "net.so", "x.png"], "has 2 inputs (a, b)")
    try sum.write(NumPyArray(shape: [1, 2], values: [1, 2]), "y.npy")
    try expectRefusal(
      sum, ["run", "net.so", "--input", "b=y.npy", "--input", "a=x.npy"],
      "input b has 1 row, input a has 2")
  }

  @Test func `inputs of different lengths are taken as they are`() throws {
    let gather = try Workplace()
    try gather.write(
      """
      layer { name: "in" type: "Input" top: "rows" top: "indices"
              input_param { shape { dim: 2 dim: 1 } shape { dim: 3 } } }
      layer { name: "ip" type: "InnerProduct" bottom: "rows" top: "ip"
              inner_product_param { num_output: 1 bias_term: false } }
      layer { name: "gather" type: "BatchReindex" bottom: "ip" bottom: "indices" top: "gathered" }
      """, "net.prototxt")
    try gather.write(
      weights: [("ip", "InnerProduct", [Tensor(shape: try Shape([1, 1]), values: [2])])],
      "net.caffemodel")
    let compiled = try gather.sparsec("compile", "net.prototxt", "net.caffemodel", "-o", "net.so")
    try #require(compiled.status == 0, "\(compiled.errors)")
    try gather.write(NumPyArray(shape: [2, 1], values: [5, 7]), "x.npy")
    try gather.write(NumPyArray(shape: [3], values: [1, 0, 1]), "i.npy")
    let outcome = try gather.sparsec(
      "run", "net.so", "--input", "x.npy", "--input", "i.npy", "--output", "o.npz")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let archive = try NumPyArchive.read(contentsOf: gather.path("o.npz"))
    #expect(archive["gathered"] == NumPyArray(shape: [3, 1], values: [14, 10, 14]))
    try gather.write(NumPyArray(shape: [4, 1], values: [5, 7, 5, 7]), "x.npy")
    try expectRefusal(
      gather, ["run", "net.so", "--input", "x.npy", "--input", "i.npy"],
      "x.npy: its shape is 4x1, but input rows takes 2x1")
  }

  @Test func `a profile names the layers, beside the results`() throws {
    let outcome = try workplace.sparsec(
      "run", net, "a.png", "--profile", "--format", "json", "--top", "1")
    #expect(outcome.output.count { $0 == "\n" } == 1)
    #expect(outcome.errors.contains("ip     InnerProduct  "))
  }

  @Test func `what does not fit is refused in one line`() throws {
    try workplace.write(
      NumPyArray(shape: [2, 16], values: .init(repeating: 0, count: 32)), "x.npy")
    try workplace.write("no array", "text.npy")
    try expectRefusal(
      workplace, ["run", net, "--input", "x.npy"],
      "x.npy: its shape is 2x16, but input data takes 1x1x4x4")
    try expectRefusal(workplace, ["run", net, "--input", "text.npy"], "text.npy: ")
    try expectRefusal(workplace, ["run", net, "--input", "gone.npy"], "gone.npy: ")
    try expectRefusal(
      workplace, ["run", net, "--input", "image=x.npy"], "no input image; it has data")
    try expectRefusal(workplace, ["run", net, "a.png", "--batch", "4"], "batches of 1 to 3")
    try expectRefusal(workplace, ["run", net, "a.png", "--threads", "0"], "--threads 0")
    try expectRefusal(workplace, ["run", net, "a.png", "--labels", "gone.txt"], "gone.txt: ")
    try expectRefusal(workplace, ["run", net, "a.png", "--crop", "5"], "--crop 5: ")
    try expectRefusal(workplace, ["run", net, "a.png", "--mean", "1,2"], "--mean 1,2: ")
    try expectRefusal(
      workplace, ["run", net, "a.png", "--output", "no/o.npz"], "no/o.npz: cannot be written")
    try expectRefusal(workplace, ["run", net, "gone.png"], "gone.png: cannot be read")
    let folder = workplace.path("empty")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try expectRefusal(workplace, ["run", net, "empty"], "there are no images in empty")
  }
}
