import Caffe
import Driver
import Foundation
import IR
import Passes
import TestSupport
import Testing

/// Residual networks in which some convolutions are all zero: they, and all that lived for them, are not in the
/// compiled network, and the results are the same.
@Suite(.serialized, .enabled(if: Workplace.isOptimized, "needs an optimised build"))
struct DeadBranchTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    /// Convolutions whose weights are zero.
    var dead: [String]
    /// Layers that must be gone, those of `dead` aside.
    var gone: [String]
  }

  /// All layers of a residual branch of ResNet-20 but its convolutions.
  private static func branch(_ block: String) -> [String] {
    ["bn1_norm", "bn1_scale", "relu1", "bn2_norm", "bn2_scale"].map { "res_\(block)_\($0)" }
  }

  static let small =
    "models/prototxt/wenwei202-scnn/examples/cifar10/cifar10_resnet_n3_deploy.prototxt"

  static let smallCases = [
    Case(
      testDescription: "the last convolution of an identity block", dead: ["res_grp1_2_conv2"],
      gone: ["res_grp1_2_conv1"] + branch("grp1_2")),
    Case(
      testDescription: "the first convolution of an identity block", dead: ["res_grp1_3_conv1"],
      gone: ["res_grp1_3_conv2"] + branch("grp1_3")),
    Case(
      testDescription: "the residual side of a projection", dead: ["res_grp2_1_conv2"],
      gone: ["res_grp2_1_conv1"] + branch("grp2_1")),
    Case(
      testDescription: "the shortcut side of a projection", dead: ["res_grp3_1_downsampling"],
      gone: []),
    Case(
      testDescription: "both sides of a projection",
      dead: ["res_grp3_1_downsampling", "res_grp3_1_conv2"],
      // Nothing of the picture gets through.
      gone: ["conv1", "res_grp1_1_conv1", "res_grp2_3_conv2", "res_grp3_1_conv1"]
        + branch("grp2_2") + branch("grp3_1")),
    Case(
      testDescription: "a chain of blocks, and projections on either side",
      dead: [
        "res_grp1_1_conv2", "res_grp1_2_conv1", "res_grp1_3_conv2", "res_grp2_1_conv1",
        "res_grp2_2_conv2", "res_grp2_3_conv1", "res_grp3_1_downsampling", "res_grp3_3_conv2",
      ],
      gone: ["res_grp1_1_conv1", "res_grp1_2_conv2", "res_grp2_3_conv2", "res_grp3_3_conv1"]
        + ["grp1_1", "grp1_2", "grp1_3", "grp2_1", "grp2_2", "grp2_3", "grp3_3"].flatMap(branch)),
  ]

  @Test(.enabled(if: Workplace.has([small]), "needs ../shared/models"), arguments: smallCases)
  func `ResNet-20 loses the layers of dead branches and nothing else`(net: Case) throws {
    let place = try Workplace()
    let (definition, weights) = try files(Self.small, net.dead, in: place)
    let graph = try NetworkSource.read(definition: definition, weights: weights).graph
    let comparison = try GraphComparison(graph)
    let folded = try comparison.error(of: GraphComparison.folded(graph).graph)
    #expect(folded.worst == 0, "folding alone does not change a bit")

    let (network, manifest) = try place.compile(definition, weights)
    let report = try check(network, manifest, net, definition, weights)
    print("ResNet-20, \(net.testDescription): \(report); \(folded.blobs) blobs bit for bit")
  }

  @Test(
    .enabled(if: Workplace.has([small]), "needs ../shared/models"), arguments: Pipeline.names)
  func `any pass can be left out`(pass: String) throws {
    let place = try Workplace()
    let net = try #require(Self.smallCases.last)
    let (definition, weights) = try files(Self.small, net.dead, in: place)
    let network = try place.compile(definition, weights, disabled: [pass]).file
    let result = try verify(network, definition, weights)
    #expect(result.isOK, "\(result.text)")
  }

  static let large = "models/prototxt/skimcaffe/models/resnet/ResNet-50-train-val-gesl.prototxt"

  static let largeCase = Case(
    testDescription: "bottlenecks with and without projection",
    dead: [
      "res2a_branch1", "res2b_branch2c", "res3a_branch2c", "res3b_branch2b", "res4a_branch2a",
      "res4c_branch2c", "res4d_branch2a", "res5a_branch1", "res5c_branch2b",
    ],
    gone: [
      "res2b_branch2a", "res2b_branch2b", "scale2b_branch2c", "res3a_branch2a", "res3a_branch2b",
      "bn3a_branch2c", "res3b_branch2a", "res3b_branch2c", "res4a_branch2b", "res4a_branch2c",
      "res4c_branch2a", "res4c_branch2b", "res4d_branch2b", "res4d_branch2c", "res5c_branch2a",
      "res5c_branch2c", "bn2a_branch1", "scale5a_branch1",
    ])

  @Test(.enabled(if: Workplace.has([large]), "needs ../shared/models"))
  func `ResNet-50 loses the layers of dead branches and nothing else`() throws {
    let place = try Workplace()
    let (definition, weights) = try files(Self.large, Self.largeCase.dead, in: place)
    let graph = try NetworkSource.read(definition: definition, weights: weights).graph
    let clock = ContinuousClock()
    var after = graph
    let time = try clock.measure { after = try GraphComparison.folded(graph).graph }
    print("ResNet-50: structure passes take \(time)")
    let folded = try GraphComparison(graph).error(of: after)
    #expect(folded.worst == 0, "folding alone does not change a bit")

    let (network, manifest) = try place.compile(definition, weights)
    let report = try check(network, manifest, Self.largeCase, definition, weights)
    print("ResNet-50: \(report); \(folded.blobs) blobs bit for bit")
  }

  // MARK: Steps

  private func files(_ net: String, _ dead: [String], in place: borrowing Workplace) throws
    -> (definition: String, weights: String)
  {
    let definition = try Workplace.shared(net)
    let weights = place.path("random.caffemodel")
    let graph = try NetworkSource.read(definition: definition, weights: nil).graph
    #expect(Set(graph.order.map { graph[$0].name }).isSuperset(of: dead))
    try RandomWeights(seed: 1, patterns: [.dense], dead: Set(dead)).model(for: graph)
      .write(to: weights)
    return (definition, weights)
  }

  private func verify(_ network: String, _ definition: String, _ weights: String) throws
    -> VerificationResult
  {
    var options = VerificationOptions(network: network, definition: definition, weights: weights)
    options.threads = 2
    return try NetVerification(options).run()
  }

  /// The compiled network has none of the layers that are gone, says why, has all others, and agrees with the
  /// reference evaluator.
  private func check(
    _ network: String, _ manifest: Manifest, _ net: Case, _ definition: String, _ weights: String
  ) throws -> String {
    let left = Set(manifest.layers.flatMap { [$0.name] + $0.fused })
    let reasons = Dictionary(
      manifest.removed.map { ($0.name, $0.reason) }, uniquingKeysWith: { first, _ in first })
    for layer in net.gone + net.dead {
      #expect(!left.contains(layer), "\(layer) is still there")
      #expect(reasons[layer] != nil, "no reason why \(layer) is gone")
    }
    let source = try NetworkSource.read(definition: definition, weights: nil).graph
    for name in source.order.map({ source[$0].name }) where !left.contains(name) {
      #expect(reasons[name] != nil, "no reason why \(name) is gone")
    }
    let result = try verify(network, definition, weights)
    #expect(result.isOK, "\(result.text)")
    let convolutions = manifest.removed.count { $0.type == "Convolution" }
    return "\(convolutions) convolutions and \(manifest.removed.count - convolutions) other layers "
      + "gone or fused, compiled error \(result.worst?.error ?? 0)"
  }
}
