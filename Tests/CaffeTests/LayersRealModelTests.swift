import Foundation
import IR
import Testing

@testable import Caffe

/// Needs the published models beside the checkout; without them there is nothing to read.
@Suite(.enabled(if: SharedFiles.areThere, "../shared/models is missing"))
struct LayersRealModelTests {
  private func parameters(net: String, weights: String) throws -> [Tensor] {
    let model = try Caffemodel(data: SharedFiles.contents("models/\(weights)"), file: weights)
    let lowered = try NetReader.read(
      Prototxt.read(SharedFiles.path("models", net)),
      weights: [NetReader.Weights(model, file: weights)])
    try lowered.graph.verify()
    return lowered.graph.order.flatMap { lowered.graph[$0].parameters }
  }

  /// Parameters and how many of them are not zero, biases included, as the authors publish them.
  static let models: [(net: String, weights: String, count: Int, nonzeros: Int)] = [
    (
      "lenet5/lenet5.prototxt", "lenet5/caffe_lenet5_sparse.caffemodel", 431_080, 3993
    ),
    (
      "lenet300100/lenet300100.prototxt", "lenet300100/caffe_lenet300100_sparse.caffemodel",
      266_610, 4988
    ),
  ]

  @Test(arguments: models) func `pruned models keep exactly their weights`(
    _ model: (net: String, weights: String, count: Int, nonzeros: Int)
  ) throws {
    let parameters = try parameters(net: model.net, weights: model.weights)
    #expect(parameters.reduce(0) { $0 + $1.count } == model.count)
    #expect(parameters.reduce(0) { $0 + $1.nonzeroCount } == model.nonzeros)
  }

  @Test(arguments: ["caffenet_conv_ssl", "caffenet_conv_l1"])
  func `pruned convolutions of CaffeNet find their layers`(_ name: String) throws {
    let parameters = try parameters(
      net: "\(name)/deploy.prototxt", weights: "\(name)/\(name).caffemodel.gz")
    #expect(
      parameters.map(\.shape.extents).filter { $0.count == 4 } == [
        [96, 3, 11, 11], [256, 48, 5, 5], [384, 256, 3, 3], [384, 192, 3, 3], [256, 192, 3, 3],
      ])
  }

  @Test(.timeLimit(.minutes(1))) func `a net of thousands of layers lowers`() throws {
    var text = "input: \"x\" input_shape { dim: 1 dim: 2 }\n"
    for _ in 0..<5_000 {
      text += "layer { name: \"r\" type: \"ReLU\" bottom: \"x\" top: \"x\" }\n"
    }
    let net = try NetReader.read(Prototxt.parse(text: text, file: "f"))
    #expect(net.graph.order.count == 5_000)
  }
}
