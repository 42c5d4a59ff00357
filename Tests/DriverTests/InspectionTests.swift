import Foundation
import IR
import Testing

@testable import Caffe
@testable import Driver

struct InspectionTests {
  @Test(arguments: [
    ("name: \"net\"", FileKind.text), ("# Grüße\r\n\tlayer {}", .text),
    ("\u{7f}ELF\u{2}", .sharedObject),
    ("\u{8}\u{1}", .solverstate), ("\n\u{3}net", .binary), ("\u{12}\u{3}abc", .binary),
  ])
  func `the first bytes tell what a file is`(start: String, kind: FileKind) {
    #expect(FileKind(prefix: Data(start.utf8)) == kind)
  }

  @Test func `a solver's settings are listed as they stand`() throws {
    let prototxt = try Prototxt.parse(
      text: "base_lr: 0.1 # fast\nnet: 'a.prototxt' stepvalue: 10 stepvalue: 20 solver_mode: GPU",
      file: "solver.prototxt")
    #expect(
      SolverInspection(prototxt).text == """
        solver

        base_lr: 0.1
        net: "a.prototxt"
        stepvalue: 10
        stepvalue: 20
        solver_mode: GPU

        """)
  }

  @Test func `zeros of each group are shown beside those of the layer`() throws {
    let prototxt = try Prototxt.parse(
      text: """
        name: "net" input: "data" input_shape { dim: 1 dim: 2 dim: 3 dim: 3 }
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                convolution_param { num_output: 2 kernel_size: 1 group: 2 bias_term: false } }
        """, file: "net.prototxt")
    let weights = Blob(Tensor(shape: try Shape([2, 1, 1, 1]), values: [0, 1]))
    let model = Caffemodel(
      name: "net",
      layers: [LayerBlobs(name: "conv", type: "Convolution", blobs: [weights])])
    let net = try NetReader.read(
      prototxt, weights: [NetReader.Weights(model, file: "net.caffemodel")])
    let source = NetworkSource(graph: net.graph, findings: [], missingWeights: [])
    #expect(
      NetInspection(source, hasWeights: true).text == """
        net net
        input data: 1x2x3x3
        output conv: 1x2x3x3

        layer  type         output   parameters  multiply-adds
        conv   Convolution  1x2x3x3           2             18

        zeros           elements  filters  columns  channels  kernels      blocks
        conv        1/2 (50.0 %)      1/2      1/2       1/2      1/2  1/2 of 4x4
          group 0  1/1 (100.0 %)      1/1      1/1       1/1      1/1  1/1 of 4x4
          group 1    0/1 (0.0 %)      0/1      0/1       0/1      0/1  0/1 of 4x4

        1 layer, 2 parameters (8 B), 18 multiply-adds (36 FLOP), 144 B of blobs

        """)
  }

  @Test func `the document has each group, each layer and their sum`() throws {
    let prototxt = try Prototxt.parse(
      text: """
        input: "data" input_shape { dim: 1 dim: 2 dim: 1 dim: 1 }
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                param { block_group_lasso { xdimen: 1 ydimen: 2 } }
                convolution_param { num_output: 4 kernel_size: 1 group: 2 bias_term: false } }
        layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
                inner_product_param { num_output: 1 bias_term: false } }
        """, file: "net.prototxt")
    let model = Caffemodel(
      name: "",
      layers: [
        LayerBlobs(
          name: "conv", type: "Convolution",
          blobs: [Blob(Tensor(shape: try Shape([4, 1, 1, 1]), values: [0, 0, 0, 1]))]),
        LayerBlobs(
          name: "ip", type: "InnerProduct",
          blobs: [Blob(Tensor(shape: try Shape([1, 4]), values: [1, 0, 1, 1]))]),
      ])
    let net = try NetReader.read(prototxt, weights: [NetReader.Weights(model, file: "x")])
    let inspection = NetInspection(
      NetworkSource(graph: net.graph, findings: [], missingWeights: []), hasWeights: true,
      blocks: BlockSizes(wish: [], net: prototxt))
    let text = try JSONText.line(inspection)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let document = try #require(object as? [String: Any])
    let layers = try #require(document["layers"] as? [[String: Any]])
    func counts(_ sparsity: Any?) throws -> [String] {
      let kinds = try #require(sparsity as? [String: Any])
      let names = ["elements", "filters", "channels", "columns", "kernels"]
      #expect(Set(kinds.keys) == Set(names + ["blocks"]))
      let blocks = try #require(kinds["blocks"] as? [[String: Int]])
      return try names.map { name in
        let count = try #require(kinds[name] as? [String: Int])
        return "\(count["zero"] ?? -1)/\(count["total"] ?? -1)"
      }
        + blocks.map {
          "\($0["zero"] ?? -1)/\($0["total"] ?? -1) of \($0["rows"] ?? -1)x\($0["columns"] ?? -1)"
        }
    }
    let groups = try #require(layers[0]["groups"] as? [Any])
    #expect(
      try groups.map(counts) == [
        ["2/2", "2/2", "1/1", "1/1", "2/2", "1/1 of 2x1"],
        ["1/2", "1/2", "0/1", "0/1", "1/2", "0/1 of 2x1"],
      ])
    #expect(try counts(layers[0]["sparsity"]) == ["3/4", "3/4", "1/2", "1/2", "3/4", "1/2 of 2x1"])
    #expect(try counts(layers[1]["sparsity"]) == ["1/4", "0/1", "1/4", "1/4", "1/4", "0/1 of 4x4"])
    #expect((layers[1]["groups"] as? [Any])?.count == 1)
    #expect(
      try counts(document["sparsity"])
        == ["4/8", "3/5", "2/6", "2/6", "4/8", "1/2 of 2x1", "0/1 of 4x4"])
  }

  @Test func `masks are applied before zeros are counted`() throws {
    let shape = try Shape([2, 2])
    let model = Caffemodel(
      name: "",
      layers: [
        LayerBlobs(
          name: "ip", type: "InnerProduct",
          blobs: [
            Blob(Tensor(shape: shape, repeating: 1)), Blob(Tensor(shape: .vector(2), repeating: 1)),
            Blob(Tensor(shape: shape, values: [1, 0, 0, 0])),
          ])
      ])
    let inspection = CaffemodelInspection(model, file: "x.caffemodel")
    #expect(inspection.layers[0].hasMasks)
    #expect(inspection.layers[0].sparsity?.elements == SparsityByKind.Count(zero: 3, total: 4))
    #expect(inspection.parameters == 6)
    #expect(!inspection.findings.isEmpty)
  }
}
