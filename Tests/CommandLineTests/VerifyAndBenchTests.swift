import Foundation
import IR
import NumPy
import Testing

struct VerifyAndBenchTests {
  let workplace: Workplace
  let net: String

  init() throws {
    workplace = try Workplace()
    try SampleNet.write(to: workplace)
    net = try SampleNet.shared().network()
  }

  @Test func `a compiled network agrees with its definition`() throws {
    let outcome = try workplace.sparsec("verify", net, "net.prototxt", "net.caffemodel")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.hasPrefix("2 blobs compared, 1 of the definition gone or fused\nworst: "))
    #expect(outcome.output.hasSuffix("OK: within the limit of 1.0e-04\n"))
  }

  @Test func `a layer that is several in one is compared by what it hands on`() throws {
    try workplace.write(
      """
      layer {
        name: "data" type: "Input" top: "data"
        input_param { shape { dim: 1 dim: 1 dim: 6 dim: 6 } }
      }
      layer {
        name: "all" type: "ConvolutionReLUPoolLRN" bottom: "data" top: "all"
        convolution_param { num_output: 3 kernel_size: 2 conv_mode: DIRECT_SCONV }
        pooling_param { pool: MAX kernel_size: 2 stride: 2 }
        lrn_param { local_size: 3 alpha: 0.5 }
      }

      """, "fused.prototxt")
    let weights = Tensor(
      shape: try Shape([3, 1, 2, 2]), values: [1, 0, -2, 0, 0, 0, 0, 3, -1, 1, 0, 0])
    let bias = Tensor(shape: .vector(3), values: [0, 1, -1])
    try workplace.write(
      weights: [("all", "ConvolutionReLUPoolLRN", [weights, bias])], "fused.caffemodel")
    let names = ["fused.prototxt", "fused.caffemodel"]
    _ = try workplace.sparsec(["compile"] + names + ["-o", "fused.so"])
    let outcome = try workplace.sparsec(["verify", "fused.so"] + names)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("2 blobs compared\nworst: "))
    let hints = try workplace.sparsec("explain", "fused.so").output
    #expect(hints.contains("the prototxt asked for DIRECT_SCONV"))
  }

  @Test func `other weights are found out, and where`() throws {
    let other = try SampleNet.weights.map { name, type, blobs in
      (name, type, [blobs[0], Tensor(shape: blobs[1].shape, values: [0, 0, 8])])
    }
    try workplace.write(weights: other, "other.caffemodel")
    try workplace.write(
      NumPyArray(shape: [1, 1, 4, 4], values: [Float](repeating: 0, count: 16)), "x.npy")
    let arguments = ["verify", net, "net.prototxt", "other.caffemodel", "--input", "x.npy"]
    let text = try workplace.sparsec(arguments)
    #expect(text.status == 2)
    #expect(
      text.output == """
        2 blobs compared, 1 of the definition gone or fused
        worst: ip of layer relu, error 1.2e-01 at [0,2]: 7.0 instead of 8.0
        FAILED: beyond the limit of 1.0e-04

        """)
    #expect(text.errors.isEmpty)
    let json = try workplace.sparsec(arguments + ["--format", "json"])
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(document["ok"] as? Bool == false)
    let worst = try #require(document["worst"] as? [String: Any])
    #expect(worst["blob"] as? String == "ip")
    #expect(worst["error"] as? Double == 0.125)
    #expect(worst["index"] as? [Int] == [0, 2])
    #expect((document["blobs"] as? [[String: Any]])?.count == 2)
    let lenient = try workplace.sparsec(arguments + ["--tolerance", "0.125"])
    #expect(lenient.status == 0)
  }

  @Test func `all rows of an array are compared`() throws {
    let other = try SampleNet.weights.map { name, type, blobs in
      var values = blobs[0].values
      values[15] = 0.5
      return (name, type, [Tensor(shape: blobs[0].shape, values: values), blobs[1]])
    }
    try workplace.write(weights: other, "other.caffemodel")
    // Only the last pixel of the second row tells the difference.
    let values = [Float](repeating: 0, count: 31) + [100]
    try workplace.write(NumPyArray(shape: [2, 1, 4, 4], values: values), "x.npy")
    let outcome = try workplace.sparsec(
      "verify", net, "net.prototxt", "other.caffemodel", "--input", "x.npy")
    #expect(outcome.status == 2)
    #expect(outcome.output.contains("at [0,0]: 25.0 instead of 50.0"))
  }

  @Test func `a fixed batch is compared as a whole`() throws {
    let fixed = try SampleNet.sharedFixed()
    let outcome = try workplace.sparsec(
      "verify", fixed.network(), fixed.workplace.path("net.prototxt"), "net.caffemodel")
    #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
    try workplace.write(
      NumPyArray(shape: [3, 1, 4, 4], values: [Float](repeating: 0, count: 48)), "x.npy")
    try expectRefusal(
      workplace,
      [
        "verify", fixed.network(), fixed.workplace.path("net.prototxt"), "net.caffemodel",
        "--input", "x.npy",
      ], "3 rows are no multiple of the network's fixed batch of 2")
  }

  @Test func `another network's definition is refused`() throws {
    let definition = SampleNet.definition.replacing("dim: 4 dim: 4", with: "dim: 2 dim: 8")
    try workplace.write(definition, "net.prototxt")
    try expectRefusal(
      workplace, ["verify", net, "net.prototxt", "net.caffemodel"],
      "is it compiled from another network?")
  }

  @Test func `measures latency and layers`() throws {
    let outcome = try workplace.sparsec(
      "bench", net, "--batch", "2", "--threads", "2", "--time", "0.1", "--warmup", "0", "--layers",
      "--format", "json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(document["model"] as? String == net)
    #expect(document["batch"] as? Int == 2)
    #expect(document["threads"] as? Int == 2)
    let runs = try #require(document["runs"] as? Int)
    #expect(runs > 1)
    let latency = try #require(document["latency_ms"] as? [String: Double])
    let (low, middle, high) = (latency["p10"] ?? 0, latency["median"] ?? 0, latency["p99"] ?? 0)
    #expect(0 < low && low <= middle && middle <= high && high < 100)
    let layers = try #require(document["layers"] as? [[String: Any]])
    #expect(layers.map { $0["name"] as? String } == ["ip"])
    #expect(layers[0]["fused"] as? [String] == ["relu"])
    // Two items of 48 multiply-adds, each two operations.
    let gflop = try #require(layers[0]["dense_gflop"] as? Double)
    #expect(abs(gflop - 192e-9) < 1e-15)
  }

  @Test func `the text ends like that of caffe time`() throws {
    let outcome = try workplace.sparsec("bench", net, "--time", "0.02", "--warmup", "0")
    let last = try #require(outcome.output.split(separator: "\n").last)
    #expect(last.wholeMatch(of: /Average Forward pass: [0-9]+\.[0-9]+ ms\./) != nil)
    #expect(!outcome.output.contains("kernel"))
  }

  @Test func `gives the profile that users of SkimCaffe know`() throws {
    let outcome = try workplace.sparsec(
      "bench", net, "--time", "0.02", "--warmup", "0", "--profile")
    // 48 multiply-adds.
    let line = /ip K-cycles-per-file ([0-9.]+) mFlops-per-file 0\.00 GF\/s ([0-9.]+) real GF\/s .*/
    let match = try #require(
      outcome.output.split(separator: "\n").compactMap { $0.wholeMatch(of: line) }.first,
      "\(outcome.output)\(outcome.errors)")
    #expect(try #require(Double(match.1)) > 0)
  }

  @Test func `explains the choice of kernels`() throws {
    let text = try workplace.sparsec("explain", net)
    #expect(text.output.hasPrefix("ip (InnerProduct) with relu: inner_product_"))
    #expect(text.output.contains("17 of 48 weights are not zero (35.4 %)"))
    #expect(text.output.contains("  chosen\n"))
    let json = try workplace.sparsec("explain", net, "--format", "json")
    #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
    try expectRefusal(workplace, ["explain", net, "--layer", "fc9"], "it has no layer fc9")
  }

  @Test func `what is no network is refused in one line`() throws {
    try workplace.write("hello", "text.so")
    try workplace.write([], "empty.so")
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: net)))
    try workplace.write(Array(whole.prefix(whole.count / 2)), "half.so")
    try workplace.write(Array(whole.prefix(64)), "head.so")
    for command in ["bench", "explain"] {
      for file in ["text.so", "empty.so", "half.so", "head.so", "gone.so", "."] {
        try expectRefusal(workplace, [command, file], file)
      }
    }
    try expectRefusal(workplace, ["run", "half.so", "a.png"], "half.so: ")
    try expectRefusal(
      workplace, ["verify", "half.so", "net.prototxt", "net.caffemodel"], "half.so")
    try expectRefusal(workplace, ["bench", net, "--time", "inf"], "--time inf: ")
  }
}
