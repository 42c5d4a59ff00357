import Foundation
import IR
import Testing

@testable import Caffe

/// What becomes of each published net that does not lower as it stands.
private enum Expectation {
  /// Data whose size only its source knows; with this size it lowers.
  case needsShape([Int])
  case refused(String)
}

/// Every other net lowers.
private let exceptions: [String: Expectation] = [
  "bvlc/examples/cifar10/cifar10_full_sigmoid_train_test.prototxt": .needsShape([3, 32, 32]),
  "bvlc/examples/cifar10/cifar10_full_sigmoid_train_test_bn.prototxt": .needsShape([3, 32, 32]),
  "bvlc/examples/cifar10/cifar10_full_train_test.prototxt": .needsShape([3, 32, 32]),
  "bvlc/examples/cifar10/cifar10_quick_train_test.prototxt": .needsShape([3, 32, 32]),
  "bvlc/examples/mnist/lenet_train_test.prototxt": .needsShape([1, 28, 28]),
  "bvlc/examples/mnist/mnist_autoencoder.prototxt": .refused(
    ":55:11: layer \"flatdata\" (Flatten) reads blob \"data\", which no earlier layer makes; "
      + "\"data\" takes no part in phase TEST"),
  "skimcaffe/examples/cifar10/cifar10_full_train_test.prototxt": .needsShape([3, 32, 32]),
  "skimcaffe/examples/cifar10/cifar10_resnet_n3_ft.prototxt": .needsShape([3, 32, 32]),
  "skimcaffe/examples/mnist/lenet_train_test.prototxt": .needsShape([1, 28, 28]),
  "wenwei202-scnn/examples/cifar10/cifar10_full_train_test.prototxt": .needsShape([3, 32, 32]),
  "wenwei202-scnn/examples/cifar10/cifar10_full_train_test_ft.prototxt": .needsShape([3, 32, 32]),
  "wenwei202-scnn/examples/cifar10/cifar10_full_train_test_kernel_shape.prototxt":
    .needsShape([3, 32, 32]),
  "wenwei202-scnn/examples/cifar10/cifar10_resnet_n3.prototxt": .needsShape([3, 32, 32]),
  "wenwei202-scnn/examples/cifar10/cifar10_resnet_n3_depth.prototxt": .needsShape([3, 32, 32]),
  "wenwei202-scnn/examples/cifar10/cifar10_resnet_n3_ft.prototxt": .needsShape([3, 32, 32]),
  "wenwei202-scnn/examples/cifar10/resnet_template.prototxt": .refused(
    ": no layer is left that computes anything"),
  "wenwei202-scnn/examples/mnist/big_mlp_1000_500_train_test.prototxt": .needsShape([1, 28, 28]),
  "wenwei202-scnn/examples/mnist/lenet_train_test_eltwise_decay.prototxt":
    .needsShape([1, 28, 28]),
  "wenwei202-scnn/examples/mnist/lenet_train_test_grouplasso.prototxt": .needsShape([1, 28, 28]),
  "wenwei202-scnn/examples/mnist/mlp.prototxt": .needsShape([1, 28, 28]),
  "wenwei202-scnn/examples/mnist/mlp_ft.prototxt": .needsShape([1, 28, 28]),
]

/// Needs the published files beside the checkout; without them there is nothing to read.
/// One net at a time: the parameters of some take half a gigabyte.
@Suite(.serialized, .enabled(if: SharedFiles.areThere, "../shared/models/prototxt is missing"))
struct LayersPublishedNetsTests {
  private static let folder = "models/prototxt"

  private static let nets = SharedFiles.prototxts(in: folder).filter { !$0.contains("solver") }

  private func lowered(_ prototxt: Prototxt, shape: [Int]? = nil) throws(Diagnostic)
    -> LoweredNet
  {
    var options = NetReader.Options()
    options.weightsOptional = true
    if let shape { options.inputShapes = [NetReader.InputShape(extents: shape)] }
    return try NetReader.read(prototxt, options: options)
  }

  @Test func `the exceptions are published nets`() {
    #expect(Self.nets.count == 79)
    #expect(Set(exceptions.keys).subtracting(Self.nets).isEmpty)
  }

  @Test(arguments: nets) func `a published net lowers, or is refused with its reason`(
    _ file: String
  ) throws {
    let prototxt = try Prototxt.read(SharedFiles.path(Self.folder, file))
    let message: String
    do {
      let net = try lowered(prototxt)
      #expect(exceptions[file] == nil, "lowers, although the table says otherwise")
      try check(net)
      return
    } catch let error as Diagnostic {
      message = "\(error)"
    }
    switch exceptions[file] {
    case nil: Issue.record("refused: \(message)")
    case .refused(let reason): #expect(message.hasSuffix(reason))
    case .needsShape(let shape):
      #expect(message.contains("give it with --input-shape data=CxHxW"))
      let net = try lowered(prototxt, shape: shape)
      #expect(net.graph[net.graph.inputs[0]].shape.extents == [1] + shape)
      try check(net)
    }
  }

  private func check(_ net: LoweredNet) throws {
    try net.graph.verify()
    #expect(net.graph.batch == .perItem)
    #expect(net.graph.inputs.count == 1)
    #expect(!net.graph.outputs.isEmpty)
    #expect(net.findings.allSatisfy { $0.level == .note })
  }

  @Test func `stages choose the data of the autoencoder`() throws {
    let prototxt = try Prototxt.read(
      SharedFiles.path(Self.folder, "bvlc/examples/mnist/mnist_autoencoder.prototxt"))
    var options = NetReader.Options()
    options.weightsOptional = true
    options.state.stages = ["test-on-test"]
    options.inputShapes = [NetReader.InputShape(name: "data", extents: [1, 28, 28])]
    let graph = try NetReader.read(prototxt, options: options).graph
    #expect(graph.outputs.map { graph[$0].name } == ["flatdata", "decode1neuron"])
  }

  @Test func `fused layers of SkimCaffe become plain ones`() throws {
    let file = "skimcaffe/models/bvlc_reference_caffenet/test_direct_sconv.prototxt"
    let graph = try lowered(Prototxt.read(SharedFiles.path(Self.folder, file))).graph
    let nodes = graph.order.map { graph[$0] }
    #expect(
      nodes.filter { $0.name == "conv2" }.map(\.sourceType)
        == ["ConvolutionReLUPoolLRN", "Pooling", "LRN"])
    #expect(
      nodes.filter { $0.name == "fc6" }.map(\.sourceType) == ["InnerProductReLUDropout", "ReLU"])
    let hint = KernelHint(.sparse, text: "DIRECT_SCONV")
    #expect(nodes.first { $0.name == "conv2" }?.kernelHint == hint)
    #expect(nodes.first { $0.name == "conv2" }?.location?.line == 107)
  }
}

/// Needs the golden nets beside the checkout; without them there is nothing to compare with.
@Suite(.enabled(if: SharedFiles.areThere, "../shared/golden is missing"))
struct LayersGoldenNetsTests {
  private struct Meta: Decodable {
    var inputs: [String: [Int]]
    var outputs: [String: [Int]]
    var params: [String: [[Int]]]
  }

  /// Why some golden nets cannot be compiled.
  private static let refused = [
    "accuracy": "no layer is left that computes anything",
    "accuracy_per_class": "no layer is left that computes anything",
    "accuracy_ties": "no layer is left that computes anything",
    "contrastive": "no layer is left that computes anything",
    "euclideanloss": "no layer is left that computes anything",
    "hingeloss": "no layer is left that computes anything",
    "lstm": "layer \"lstm\" (LSTM): recurrent layers are not supported",
    "rnn": "layer \"rnn\" (RNN): recurrent layers are not supported",
    "sigmoidce": "no layer is left that computes anything",
    "softmaxloss": "no layer is left that computes anything",
    "softmaxloss_ignore": "no layer is left that computes anything",
    "softmaxloss_spatial": "no layer is left that computes anything",
  ]

  private static let cases = SharedFiles.prototxts(in: "golden/inference/tiny")
    .map { String($0.prefix { $0 != "/" }) }

  @Test func `there are golden nets`() { #expect(Self.cases.count > 100) }

  @Test(arguments: cases) func `a golden net has the shapes that Caffe saw`(_ name: String) throws {
    let folder = "golden/inference/tiny/\(name)"
    let prototxt = try Prototxt.read(SharedFiles.path(folder, "net.prototxt"))
    let model = SharedFiles.path(folder, "net.caffemodel")
    let weights =
      FileManager.default.fileExists(atPath: model)
      ? [NetReader.Weights(try Caffemodel(contentsOf: model), file: model)] : []
    let net: LoweredNet
    do {
      net = try NetReader.read(prototxt, weights: weights)
    } catch {
      #expect(
        error.message == Self.refused[name])
      return
    }
    #expect(Self.refused[name] == nil, "lowers, although the table says otherwise")
    try net.graph.verify()
    let data = try Data(contentsOf: URL(fileURLWithPath: SharedFiles.path(folder, "meta.json")))
    let meta = try JSONDecoder().decode(Meta.self, from: data)
    let isPerItem = net.graph.batch == .perItem
    func seen(_ extents: [Int]) -> [Int] { isPerItem ? [1] + extents.dropFirst() : extents }

    for input in net.graph.inputs {
      let value = net.graph[input]
      #expect(meta.inputs[value.name].map(seen) == value.shape.extents)
    }
    for output in net.graph.outputs {
      let value = net.graph[output]
      guard let extents = meta.outputs[value.name] else { continue }
      #expect(seen(extents) == value.shape.extents)
    }
    for node in net.graph.order.map({ net.graph[$0] }) where !node.parameters.isEmpty {
      let shapes = node.parameters.map(\.shape.extents)
      #expect(
        meta.params[node.name].map { $0.map { $0.filter { $0 != 1 } } }
          == shapes.map { $0.filter { $0 != 1 } })
    }
  }
}
