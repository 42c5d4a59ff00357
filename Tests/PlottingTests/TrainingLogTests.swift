import Datasets
import Foundation
import IR
import TestSupport
import Testing

@testable import Plotting

struct TrainingLogTests {
  private func log(_ text: String, _ name: String = "folder/run.log") throws -> TrainingLog {
    try TrainingLog(Array(text.utf8), file: name)
  }

  private func curves(_ log: TrainingLog) -> [String: [String]] {
    Dictionary(
      uniqueKeysWithValues: log.curves.map { curve in
        (
          "\(curve.quantity.rawValue): \(curve.name)",
          curve.points.map { "\($0.iteration) \($0.value)" }
        )
      })
  }

  private static let head = "I0314 11:32:07.457612 30884 solver.cpp:230] "

  private func lines(_ messages: String...) -> String {
    messages.map { Self.head + $0 + "\n" }.joined()
  }

  @Test func `a log of Caffe is read`() throws {
    let log = try log(
      lines(
        "Iteration 0, Testing net (#0)", "    Test net output #0: accuracy = 0.125",
        "    Test net output #1: loss = 2.5 (* 1 = 2.5 loss)", "Iteration 0, loss = 2.25",
        "    Train net output #0: loss = 2.25 (* 1 = 2.25 loss)", "Iteration 0, lr = 0.01",
        "Iteration 100 (12.5 iter/s, 8s/100 iters), loss = 0.5",
        "    Train net output #0: top1 = 0.75", "Iteration 200, loss = nan",
        "Iteration 200, Testing net (#1)", "    Test net output #0: top5 = 0.5"))
    #expect(log.name == "run.log")
    #expect(
      curves(log) == [
        "accuracy: test accuracy": ["0 0.125"], "loss: test loss": ["0 2.5"],
        "loss: training loss": ["0 2.25", "100 0.5"], "accuracy: training top1": ["100 0.75"],
        "accuracy: test #1 top5": ["200 0.5"],
      ])
  }

  @Test func `sparsity is that of weights, by the names of their layers`() throws {
    let net = """
      name: "net"
      layer {
        name: "conv"
        type: "Convolution"
        convolution_param {
          bias_term: false
          weight_filler {
            type: "xavier"
          }
        }
      }
      layer {
        name: "bn"
        type: "BatchNorm"
      }
      layer {
        name: "scale"
        type: "Scale"
        scale_param {
          bias_term: true
        }
      }
      layer {
        name: "ip"
        type: "InnerProduct"
      }

      """
    let values = "50\t0\t0\t0\t0\t0\t25\t12\t"
    let log = try log(
      lines("Initializing net from parameters: ") + net
        + lines(
          "Creating layer conv", "Iteration 10, lr = 0.1", "    Element Sparsity %: \(values)",
          "     Column Sparsity %: -1\t-1\t-1\t-1\t-1\t-1\t75\t-1\t",
          "        Row Sparsity %: 5\t-1\t-1\t-1\t-1\t-1\t-1\t-1\t",
          "      Block Sparsity %: (2,2):50;(9,1):2.5;\t\t\t\t\t\t(1,4):10;\t\t",
          "ConV Sparsity: 0.5"))
    #expect(
      curves(log) == [
        "sparsity, %: conv": ["10 50.0"], "sparsity, %: ip": ["10 25.0"],
        "sparsity, %: ip columns": ["10 75.0"], "sparsity, %: conv rows": ["10 5.0"],
        "sparsity, %: all ConV": ["10 50.0"], "sparsity, %: conv blocks (2,2)": ["10 50.0"],
        "sparsity, %: conv blocks (9,1)": ["10 2.5"], "sparsity, %: ip blocks (1,4)": ["10 10.0"],
      ])
    // The first array has no blocks; newer versions break the line. SkimCaffe leaves out biases.
    let broken = try self.log(
      lines("Initializing net from parameters: ") + net
        + lines("Iteration 10, lr = 0.1", "      Block Sparsity %: ")
        + "\t\t\t\t\t\t(1,4):10;\t\t\n" + lines("    Element Sparsity %: ") + "50\t25\t\n"
        + lines("        OC-fiber Sparsity %: 7\t", "        kernel-slice Sparsity %: ")
        + "8\t\n")
    #expect(
      curves(broken) == [
        "sparsity, %: ip blocks (1,4)": ["10 10.0"], "sparsity, %: conv": ["10 50.0"],
        "sparsity, %: ip": ["10 25.0"], "sparsity, %: conv lines of outputs": ["10 7.0"],
        "sparsity, %: conv places of the kernel": ["10 8.0"],
      ])
    // Without the net, every other array is taken for weights.
    let bare = try self.log(lines("Iteration 10, lr = 0.1", "Sparsity %: 84.2 0 95.5 4 "))
    #expect(
      curves(bare) == ["sparsity, %: array 0": ["10 84.2"], "sparsity, %: array 2": ["10 95.5"]])
  }

  @Test func `a run that went on replaces what it repeats`() throws {
    let log = try log(
      lines(
        "Iteration 0, loss = 3", "Iteration 100, loss = 2", "Iteration 200, loss = 1",
        "Iteration 100, loss = 5", "Iteration 300, loss = 4"))
    #expect(curves(log) == ["loss: training loss": ["0 3.0", "100 5.0", "300 4.0"]])
  }

  @Test func `lines of JSON are read`() throws {
    let log = try log(
      """
      {"kind": "start", "net": "lenet"}
      {"kind": "train", "iteration": 0, "loss": 2.5, "learning_rate": 0.01, "outputs": {"loss": 2.5}}
      {"kind": "test", "iteration": 0, "outputs": {"accuracy": 0.5, "loss": 2}}

      {"kind": "loaded", "sparsity": {"conv1": 0.25}}
      {"kind": "sparsity", "iteration": 10, "sparsity": {"conv1": 0.25, "ip": 1}, \
      "rows": {"ip": 0.5}, "blocks": {"ip": {"(2,1)": 0.125}}}
      {"kind": "train", "iteration": 10, "loss": 1.5, "outpu
      """)
    #expect(
      curves(log) == [
        "loss: training loss": ["0 2.5"], "loss: test loss": ["0 2.0"],
        "accuracy: test accuracy": ["0 0.5"], "sparsity, %: conv1": ["10 25.0"],
        "sparsity, %: ip": ["10 100.0"], "sparsity, %: ip rows": ["10 50.0"],
        "sparsity, %: ip blocks (2,1)": ["10 12.5"],
      ])
  }

  @Test func `what is no log is refused with one line`() throws {
    func refusal(_ text: String) -> String {
      let error = #expect(throws: Diagnostic.self) { try log(text, "x.log") }
      return error.map { "\($0)" } ?? ""
    }
    #expect(refusal("").hasPrefix("x.log: has no losses"))
    #expect(refusal("hello\nworld").hasPrefix("x.log: has no losses"))
    #expect(
      refusal("{\"kind\": \"train\"}\n{}\n") == "x.log:1:1: is no line of a training log in JSON")
    #expect(
      refusal("{\"kind\": \"start\"}\n{\"kind\": \"train\", \"loss\": 1}\n\n").hasPrefix(
        "x.log:2:1: "))
  }

  private struct Facts {
    var training: Int
    var tests: Int
    var last: Int
    var accuracy: Double
    var weight: String
    var sparsity: Double
  }

  @Test(
    .enabled(if: SharedFiles.find("data/logs") != nil, "needs ../shared/data/logs"),
    arguments: ["lenet_ssl_train", "cifar10_full_ssl_train", "caffenet_finetune_train"])
  func `real logs are read to their last lines`(name: String) throws {
    let facts = [
      "lenet_ssl_train": Facts(
        training: 101, tests: 21, last: 50_000, accuracy: 0.9846, weight: "conv2", sparsity: 95.8),
      "cifar10_full_ssl_train": Facts(
        training: 601, tests: 121, last: 120_000, accuracy: 0.8292, weight: "conv2 columns",
        sparsity: 42.9),
      "caffenet_finetune_train": Facts(
        training: 801, tests: 161, last: 160_000, accuracy: 0.56318, weight: "conv2",
        sparsity: 62.1),
    ]
    let expected = try #require(facts[name])
    let path = try #require(SharedFiles.find("data/logs/\(name).info.gz")).path
    let log = try TrainingLog(CompressedFile.read(path), file: path)
    func points(_ curve: String) -> [TrainingLog.Point] {
      log.curves.first { $0.name == curve }?.points ?? []
    }
    #expect(points("training loss").count == expected.training)
    #expect(points("test accuracy").count == expected.tests)
    #expect(points("test loss").count == expected.tests)
    #expect(points("test accuracy").last?.iteration == expected.last)
    #expect(points("test accuracy").last?.value == expected.accuracy)
    let sparsity = try #require(points(expected.weight).last?.value)
    #expect(abs(sparsity - expected.sparsity) < 0.2)
  }
}
