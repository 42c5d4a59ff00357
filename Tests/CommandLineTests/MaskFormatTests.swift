import Caffe
import Foundation
import IR
import TestSupport
import Testing

/// Masks in the forks' own forms, from training to a compiled network.
struct MaskFormatTests {
  let workplace: Workplace

  init() throws {
    workplace = try Workplace()
    try workplace.write(
      """
      name: "tiny"
      layer {
        name: "made" type: "DummyData" top: "data" top: "label"
        dummy_data_param {
          shape { dim: 4 dim: 2 dim: 5 dim: 5 } shape { dim: 4 }
          data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 }
        }
      }
      \(Self.layers)
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
      """, "net.prototxt")
    try workplace.write(
      """
      name: "tiny"
      input: "data" input_shape { dim: 1 dim: 2 dim: 5 dim: 5 }
      \(Self.layers)
      """, "deploy.prototxt")
  }

  private static let layers = """
    layer {
      name: "conv" type: "Convolution" bottom: "data" top: "conv"
      convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } }
    }
    layer {
      name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
      inner_product_param { num_output: 3 bias_term: false weight_filler { type: "xavier" } }
    }
    """

  @Test(arguments: ["dns-y", "dns-h"], ["BINARYPROTO", "HDF5"])
  func `snapshots go on bit by bit, keep their zeros, and are compiled`(
    _ form: String, _ file: String
  ) throws {
    let end = file == "HDF5" ? ".h5" : ""
    let pruning = ["--sparsity", "0.75", "--mask-format", form]
    let whole = try workplace.sparsec(
      try solver("whole", file) + pruning)
    #expect(whole.status == 0, "\(whole.errors)")
    let first = try workplace.sparsec(
      try solver("parts", file) + pruning)
    #expect(first.status == 0, "\(first.errors)")
    let end20 = "parts_iter_20.caffemodel\(end)"
    try FileManager.default.removeItem(atPath: workplace.path(end20))
    let second = try workplace.sparsec(
      try solver("parts", file) + pruning
        + ["--snapshot", "parts_iter_15.solverstate\(end)"])
    #expect(second.status == 0, "\(second.errors)")
    let result = "whole_iter_20.caffemodel\(end)"
    #expect(try workplace.bytes(end20) == workplace.bytes(result))

    let model = try Caffemodel(contentsOf: workplace.path(result))
    let conv = try #require(model.layer(named: "conv"))
    #expect(conv.blobs.count == (form == "dns-y" ? 4 : 3))
    #expect(conv.masks.isEmpty && model.layer(named: "ip")?.blobs.count == 2)
    #expect(conv.blobs[2].values.count { $0 == 0 } == 54)

    // Zeros stay when it is trained on, without a word about them.
    let tuned = try workplace.sparsec(try solver("tuned", file) + ["--weights", result])
    #expect(tuned.status == 0, "\(tuned.errors)")
    let after = try Caffemodel(contentsOf: workplace.path("tuned_iter_20.caffemodel\(end)"))
    let weights = try #require(after.layer(named: "conv")?.blobs.first).values
    #expect(weights.indices.allSatisfy { (conv.blobs[2].values[$0] == 0) == (weights[$0] == 0) })
    #expect(weights != conv.blobs[0].values)

    let test = try workplace.sparsec(
      "test", "--model", "net.prototxt", "--weights", result, "--iterations", "2")
    #expect(test.output.hasPrefix("loss = "), "\(test.errors)")
    let facts = try workplace.sparsec("inspect", "deploy.prototxt", result)
    #expect(facts.output.contains(#/(?m)^conv +54/72 /#), "\(facts.output)\(facts.errors)")
    let compiled = try workplace.sparsec("compile", "deploy.prototxt", result, "-o", "net.so")
    #expect(compiled.status == 0, "\(compiled.errors)")
    let verified = try workplace.sparsec("verify", "net.so", "deploy.prototxt", result)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
  }

  private func solver(_ name: String, _ file: String) throws -> [String] {
    try workplace.write(
      """
      net: "net.prototxt" base_lr: 0.05 momentum: 0.9 lr_policy: "fixed" max_iter: 20
      snapshot: 15 snapshot_prefix: "\(name)" random_seed: 3 snapshot_format: \(file)
      """, "\(name).prototxt")
    return ["train", "--solver", "\(name).prototxt"]
  }

  @Test func `only forms of forks can be asked for`() throws {
    for form in ["sparsec", "dns"] {
      let outcome = try workplace.sparsec(
        try solver("a", "HDF5") + ["--mask-format", form])
      #expect(outcome.status == 64 && outcome.errors.contains("dns-y"), "\(outcome.errors)")
    }
  }

  /// The published LeNet-5, put into the fork's four blobs as its own code writes a running training.
  @Test(.enabled(if: SharedFiles.find("models/lenet5") != nil, "needs ../shared/models/lenet5"))
  func `a published model in four blobs gives the same network`() throws {
    let folder = try #require(SharedFiles.find("models/lenet5")).path
    var model = try Caffemodel(contentsOf: "\(folder)/caffe_lenet5_sparse.caffemodel")
    let dense = try Caffemodel(contentsOf: "\(folder)/caffe_lenet5_original.caffemodel")
    for (index, layer) in model.layers.enumerated() where layer.blobs.count == 2 {
      let masks = layer.blobs.map { blob in
        Blob(Tensor(shape: blob.shape, values: blob.values.map { $0 == 0 ? 0 : 1 }))
      }
      let original = try #require(dense.layer(named: layer.name)).blobs
      let behind = zip(layer.blobs, original).map { kept, other in
        Blob(
          Tensor(
            shape: kept.shape, values: zip(kept.values, other.values).map { $0 == 0 ? $1 : $0 }))
      }
      model.layers[index].blobs = behind + masks
      model.layers[index].type =
        layer.type.hasPrefix("C") && layer.type != "Convolution" ? layer.type : "C\(layer.type)"
    }
    try model.write(to: workplace.path("four.caffemodel"))
    let weights = try workplace.sparsec(
      "inspect", "\(folder)/lenet5.prototxt", "four.caffemodel")
    #expect(weights.output.contains(#/(?m)^ip1 +397080/400000 /#), "\(weights.output)")
    let made = try workplace.sparsec(
      "compile", "\(folder)/lenet5.prototxt", "four.caffemodel", "-o", "net.so")
    #expect(made.status == 0, "\(made.errors)")
    let verified = try workplace.sparsec(
      "verify", "net.so", "\(folder)/lenet5.prototxt",
      "\(folder)/caffe_lenet5_sparse.caffemodel")
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
  }
}
