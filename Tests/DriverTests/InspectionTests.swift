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

        zeros           elements  filters  columns  channels  kernels
        conv        1/2 (50.0 %)      1/2      1/2       1/2      1/2
          group 0  1/1 (100.0 %)      1/1      1/1       1/1      1/1
          group 1    0/1 (0.0 %)      0/1      0/1       0/1      0/1

        1 layer, 2 parameters (8 B), 18 multiply-adds (36 FLOP), 144 B of blobs

        """)
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
