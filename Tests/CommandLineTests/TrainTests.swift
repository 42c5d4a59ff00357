import Foundation
import Testing

struct TrainTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try workplace.write(Self.net, "net.prototxt")
  }

  /// Two classes, told apart by weights of a fixed random input; dropout makes every step random.
  private static let net = """
    name: "tiny"
    layer {
      name: "made" type: "DummyData" top: "data" top: "label"
      dummy_data_param {
        shape { dim: 4 dim: 2 dim: 5 dim: 5 } shape { dim: 4 }
        data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 }
      }
    }
    layer {
      name: "conv" type: "Convolution" bottom: "data" top: "conv"
      convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } }
    }
    layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
    layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
    layer {
      name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
      inner_product_param { num_output: 3 weight_filler { type: "xavier" } }
    }
    layer {
      name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy"
      include { phase: TEST }
    }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
    """

  private func solver(_ name: String, _ more: String = "") throws {
    try workplace.write(
      """
      net: "net.prototxt" base_lr: 0.05 momentum: 0.9 lr_policy: "fixed" max_iter: 20 display: 5
      test_iter: 2 test_interval: 10 snapshot: 10 snapshot_prefix: "\(name)" random_seed: 3
      \(more)
      """, "\(name).prototxt")
  }

  @Test func `a run that was stopped ends as one that was not`() throws {
    try solver("whole")
    try solver("parts")
    let whole = try workplace.sparsec("train", "--solver", "whole.prototxt")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("iteration 20: saved whole_iter_20.solverstate"))
    let first = try workplace.sparsec(
      "train", "--solver", "parts.prototxt", "--iterations", "10")
    #expect(first.status == 0, "\(first.errors)")
    let second = try workplace.sparsec(
      "train", "--solver", "parts.prototxt", "--snapshot", "parts_iter_10.solverstate")
    #expect(second.status == 0, "\(second.errors)")
    #expect(
      try workplace.bytes("parts_iter_20.caffemodel")
        == workplace.bytes("whole_iter_20.caffemodel"))
    #expect(
      try workplace.bytes("parts_iter_10.caffemodel")
        != workplace.bytes("whole_iter_20.caffemodel"))
  }

  @Test func `a trained model is tested, and pruned to what was asked for`() throws {
    try solver("dense")
    let training = try workplace.sparsec("train", "--solver", "dense.prototxt")
    #expect(training.status == 0, "\(training.errors)")
    let test = try workplace.sparsec(
      "test", "--model", "net.prototxt", "--weights", "dense_iter_20.caffemodel", "--iterations",
      "3")
    #expect(test.output.hasPrefix("accuracy = 1\nloss = "), "\(test.output)\(test.errors)")
    try solver("sparse")
    let pruning = try workplace.sparsec(
      "train", "--solver", "sparse.prototxt", "--weights", "dense_iter_20.caffemodel",
      "--sparsity", "0.75")
    #expect(pruning.status == 0, "\(pruning.errors)")
    let facts = try workplace.sparsec("inspect", "sparse_iter_20.caffemodel")
    // 72 weights of the convolution, 108 of the inner product: 135 of 180 are zero.
    let zeros = facts.output.matches(of: #/(?m)^(?:conv|ip) +(\d+)/\d+/#)
      .reduce(0) { $0 + (Int($1.1) ?? 0) }
    #expect(zeros == 135, "\(facts.output)")
  }

  @Test(arguments: ["ssl", "l1", "guided", "dns", "magnitude"])
  func `every method reaches its share, resumed or not`(_ method: String) throws {
    try solver("dense")
    _ = try workplace.sparsec("train", "--solver", "dense.prototxt")
    func train(_ name: String, _ more: String...) throws {
      try solver(name, "snapshot_diff: false")
      let options = [
        "train", "--solver", "\(name).prototxt", "--sparsity", "0.5", "--method", method,
        "--log-style", "json",
      ]
      let run = try workplace.sparsec(options + more)
      #expect(run.status == 0, "\(run.errors)")
      #expect(method == "magnitude" || run.output.contains("\"kind\":\"target\""))
    }
    try train("whole", "--weights", "dense_iter_20.caffemodel")
    try train("parts", "--weights", "dense_iter_20.caffemodel")
    try train("parts", "--snapshot", "parts_iter_10.solverstate")
    #expect(
      try workplace.bytes("whole_iter_20.caffemodel")
        == workplace.bytes("parts_iter_20.caffemodel"))
    let facts = try workplace.sparsec("inspect", "whole_iter_20.caffemodel")
    let zeros = facts.output.matches(of: #/(?m)^(?:conv|ip) +(\d+)/\d+/#)
      .reduce(0) { $0 + (Int($1.1) ?? 0) }
    #expect(zeros >= 90 && zeros < 175, "\(facts.output)")
  }

  @Test func `filters become zero with their biases`() throws {
    try solver("run")
    let run = try workplace.sparsec(
      "train", "--solver", "run.prototxt", "--sparsity", "conv=0.5", "--method", "ssl",
      "--structure", "filter")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("iteration 12: zeros fixed by filter: conv 50.0 %"))
    let facts = try workplace.sparsec("inspect", "net.prototxt", "run_iter_20.caffemodel")
    #expect(facts.output.contains(#/(?m)^conv +\d+/72 .* 2/4 /#), "\(facts.output)")
  }

  @Test func `files of network surgery train by themselves`() throws {
    let surgery = Self.net.replacing("type: \"Convolution\"", with: "type: \"CConvolution\"")
      .replacing(
        "convolution_param {",
        with: "cconvolution_param { c_rate: 0 gamma: 0 } convolution_param {")
    try workplace.write(surgery, "net.prototxt")
    try solver("run")
    let run = try workplace.sparsec("train", "--solver", "run.prototxt")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("trained by the rules of dns-y"))
    let facts = try workplace.sparsec("inspect", "run_iter_20.caffemodel")
    let zeros = facts.output.firstMatch(of: #/(?m)^conv +(\d+)/\d+/#).flatMap { Int($0.1) } ?? 0
    #expect(zeros > 10 && zeros < 70, "\(facts.output)")
  }

  @Test(arguments: [
    ("--sparsity 0.5 --method dns --structure filter", 1, "--method dns makes single weights zero"),
    ("--sparsity 0.5 --method ssl --structure depth", 1, "no weights of this net"),
    ("--sparsity fc=0.5", 1, "layer \"fc\" has no weights"),
    ("--sparsity 0.5,0.6", 64, "one share for the net"),
    ("--sparsity 1.5", 64, "expected a share between 0 and 1"),
    ("--method ssl", 64, "need --sparsity"),
  ])
  func `a target that cannot be is one line`(_ mistake: (String, Int, String)) throws {
    try solver("run")
    let run = try workplace.sparsec(
      ["train", "--solver", "run.prototxt"] + mistake.0.split(separator: " ").map(String.init))
    #expect(run.status == mistake.1)
    #expect(run.errors.contains(mistake.2), "\(run.errors)")
  }

  @Test func `logs have the forms that were asked for`() throws {
    try solver("run", "debug_info: true")
    let json = try workplace.sparsec("train", "--solver", "run.prototxt", "--log-style", "json")
    let kinds = try json.output.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["kind"] as? String
    }
    #expect(kinds.first == "start" && kinds.last == "end")
    #expect(Set(kinds) == ["start", "test", "train", "debug", "snapshot", "end"])
    let caffe = try workplace.sparsec("train", "--solver", "run.prototxt", "--log", "run.log")
    #expect(caffe.status == 0, "\(caffe.errors)")
    let log = try workplace.text("run.log")
    let glog = #/(?m)^I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ solver\.cpp:\d+\] Iteration 5, lr = 0\.05$/#
    #expect(log.contains(glog), "\(log)")
    #expect(log.contains("Test net output #0: accuracy = "))
    #expect(log.contains("[Forward] Layer conv, top blob conv data: "))
    let plot = try workplace.sparsec("plot", "run.log", "-o", "run.svg")
    #expect(plot.status == 0, "\(plot.errors)")
  }

  @Test func `mistakes are one line`() throws {
    try expectRefusal(workplace, ["train", "--solver", "none.prototxt"], "none.prototxt")
    try solver("bad", "stepsize: 3 type: \"Agad\"")
    try expectRefusal(workplace, ["train", "--solver", "bad.prototxt"], "bad.prototxt:3:")
    try solver("far", "weights: \"none.caffemodel\"")
    try expectRefusal(workplace, ["train", "--solver", "far.prototxt"], "none.caffemodel")
    try workplace.write(
      """
      layer {
        name: "records" type: "Data" top: "data" top: "label"
        data_param { source: "none_lmdb" batch_size: 2 backend: LMDB }
      }
      """, "records.prototxt")
    try workplace.write("x", "x.caffemodel")
    try expectRefusal(
      workplace, ["test", "--model", "records.prototxt", "--weights", "x.caffemodel"],
      "none_lmdb: there is no such LMDB (layer \"records\")")
    try solver("hot", "base_lr: 1e30")
    try expectRefusal(workplace, ["train", "--solver", "hot.prototxt"], "base_lr")
  }
}
