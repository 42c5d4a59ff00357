import Foundation
import IR
import Testing

@testable import Caffe

/// The real models beside the checkout decode to the counts that their descriptions state.
@Suite(.enabled(if: SharedFiles.areThere, "needs the data set ../shared"))
struct CaffemodelRealModelTests {
  struct Counts: Sendable, CustomTestStringConvertible {
    var file: String
    /// Per layer: name, weights, weights that are not zero, biases that are not zero.
    var layers: [(String, Int, Int, Int?)]

    var testDescription: String { file }
  }

  static let counts: [Counts] = [
    Counts(
      file: "models/lenet5/caffe_lenet5_sparse.caffemodel",
      layers: [
        ("conv1", 500, 72, 2), ("conv2", 25_000, 770, 9), ("ip1", 400_000, 2920, 3),
        ("ip2", 5000, 215, 2),
      ]),
    Counts(
      file: "models/lenet300100/caffe_lenet300100_sparse.caffemodel",
      layers: [("ip1", 235_200, 4351, 30), ("ip2", 30_000, 552, 6), ("ip3", 1000, 49, 0)]),
    Counts(
      file: "models/caffenet_conv_l1/caffenet_conv_l1.caffemodel.gz",
      layers: [
        ("conv1", 34_848, 14_092, nil), ("conv2", 307_200, 34_979, nil),
        ("conv3", 884_736, 43_245, nil), ("conv4", 663_552, 40_472, nil),
        ("conv5", 442_368, 40_764, nil),
      ]),
    Counts(
      file: "models/caffenet_conv_ssl/caffenet_conv_ssl.caffemodel.gz",
      layers: [
        ("conv1", 34_848, 22_721, nil), ("conv2", 307_200, 49_142, nil),
        ("conv3", 884_736, 51_635, nil), ("conv4", 663_552, 27_394, nil),
        ("conv5", 442_368, 52_788, nil),
      ]),
    Counts(
      file: "models/squeezenet_dc/squeezenet_dc.caffemodel.gz",
      layers: [
        ("conv1", 14_112, 13_902, 96), ("fire2/conv3x3_2", 9216, 3039, 64),
        ("fire9/conv3x3_2", 147_456, 44_173, 256), ("conv_final", 512_000, 102_323, 1000),
      ]),
  ]

  @Test(arguments: counts)
  func `holds as many weights that are not zero as described`(_ expected: Counts) throws {
    let data = try SharedFiles.contents(expected.file)
    let model = try Caffemodel(data: data, file: expected.file)
    for (name, weights, nonzero, biases) in expected.layers {
      let layer = try #require(model.layer(named: name), "layer \(name)")
      #expect(layer.blobs[0].tensor.count == weights, "layer \(name)")
      #expect(layer.blobs[0].tensor.nonzeroCount == nonzero, "layer \(name)")
      if let biases { #expect(layer.blobs[1].tensor.nonzeroCount == biases, "layer \(name)") }
      // None of these files stores masks.
      #expect(layer.maskLayout == nil)
    }
  }

  @Test func `SqueezeNet has 415,921 of 1,244,448 weights left`() throws {
    let file = "models/squeezenet_dc/squeezenet_dc.caffemodel.gz"
    let model = try Caffemodel(data: SharedFiles.contents(file), file: file)
    let weights = model.layers.compactMap(\.blobs.first?.tensor)
    #expect(weights.count == 26)
    #expect(weights.map(\.count).reduce(0, +) == 1_244_448)
    #expect(weights.map(\.nonzeroCount).reduce(0, +) == 415_921)
  }

  /// What a golden's meta.json says about a net's parameters: shapes by layer, in order.
  struct Golden: Decodable {
    var params: [String: [[Int]]]
  }

  @Test func `every golden net's parameters have the shapes of its description`() throws {
    let root = SharedFiles.path("golden/inference")
    let folders = try FileManager.default.subpathsOfDirectory(atPath: root)
      .filter { $0.hasSuffix("meta.json") }.map { String($0.dropLast(10)) }
    var checked = 0
    for folder in folders {
      let base = "golden/inference/\(folder)"
      let golden = try JSONDecoder().decode(
        Golden.self, from: SharedFiles.contents("\(base)/meta.json"))
      let files = try FileManager.default.contentsOfDirectory(atPath: SharedFiles.path(base))
      for file in files where file.contains(".caffemodel") {
        let model = try Caffemodel(data: SharedFiles.contents("\(base)/\(file)"), file: file)
        for (name, shapes) in golden.params where !shapes.isEmpty {
          // Caffe's in-memory name of a layer that shares parameters is the file's name, too.
          guard let layer = model.layer(named: name) else { continue }
          let expected = try shapes.map { try Shape($0) }
          let (tensors, _) = try layer.matched(
            to: expected.map { ParameterSlot("weights", $0) }, file: "\(folder)/\(file)")
          #expect(tensors.map(\.shape) == expected, "\(folder)/\(file) \(name)")
          checked += 1
        }
      }
    }
    #expect(checked > 80, "only \(checked) layers were found")
  }

  @Test func `a real net rewritten as V1 holds the same values`() throws {
    let file = "golden/inference/lenet5_original/net.caffemodel"
    let model = try Caffemodel(data: SharedFiles.contents(file), file: file)
    var wire = Wire()
    for layer in model.layers {
      var old = Wire().text(4, layer.name).number(5, 4)
      for blob in layer.blobs {
        let padded = [Int](repeating: 1, count: 4 - blob.shape.axes) + blob.shape.extents
        let shape = padded.enumerated().reduce(Wire()) {
          $0.number(UInt64($1.offset + 1), $1.element)
        }
        old = old.message(6, shape.packed(5, blob.values))
      }
      wire = wire.message(2, old)
    }
    let old = try Caffemodel(data: wire.data, file: "old")
    #expect(old.generation == .v1)
    for layer in model.layers {
      let twin = try #require(old.layer(named: layer.name))
      let (tensors, findings) = try twin.matched(
        to: layer.blobs.map { ParameterSlot("weights", $0.shape) }, file: "old")
      #expect(tensors == layer.blobs.map(\.tensor))
      #expect(findings.isEmpty)
    }
  }

  @Test func `the training nets decode`() throws {
    for name in ["init", "initB", "pruned"] {
      let model = try Caffemodel(contentsOf: SharedFiles.path("golden/training/\(name).caffemodel"))
      #expect(model.layers.contains { !$0.blobs.isEmpty })
    }
  }
}
