import IR
import Testing

@testable import Caffe

@Suite struct LayersReadingTests {
  private func lowered(
    _ text: String, _ layers: [LayerBlobs] = [], optional: Bool = false
  ) throws(Diagnostic) -> LoweredNet {
    var options = NetReader.Options()
    options.weightsOptional = optional
    let model = NetReader.Weights(Caffemodel(name: "n", layers: layers), file: "w")
    let net = try NetReader.read(
      Prototxt.parse(text: text, file: "f"), weights: layers.isEmpty ? [] : [model],
      options: options)
    do {
      try net.graph.verify()
    } catch {
      Issue.record("\(error)")
    }
    return net
  }

  private func message(_ text: String, _ layers: [LayerBlobs]) -> String {
    do {
      _ = try lowered(text, layers)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  private func blob(_ extents: [Int], _ values: [Float]) throws -> Blob {
    Blob(Tensor(shape: try Shape(extents), values: values))
  }

  private func names(_ graph: Graph, _ values: [ValueID]) -> [String] {
    values.map { graph[$0].name }
  }

  private let input = "input: \"x\" input_shape { dim: 1 dim: 2 }\n"

  private func product(_ name: String, _ rest: String = "", bottom: String, outputs: Int = 2)
    -> String
  {
    "layer { name: \"\(name)\" type: \"InnerProduct\" bottom: \"\(bottom)\" top: \"\(name)\" "
      + "inner_product_param { num_output: \(outputs) bias_term: false } \(rest) }\n"
  }

  @Test func `layers in place make new values of the same name`() throws {
    let net = try lowered(
      input
        + """
        layer { name: "a" type: "ReLU" bottom: "x" top: "y" }
        layer { name: "b" type: "Sigmoid" bottom: "y" top: "y" }
        layer { name: "c" type: "TanH" bottom: "y" top: "z" }
        layer { name: "d" type: "AbsVal" bottom: "x" top: "x" }
        """)
    let graph = net.graph
    #expect(names(graph, graph.outputs) == ["z", "x"])
    #expect(graph.order.map { graph[graph[$0].outputs[0]].name } == ["y", "y", "z", "x"])
    #expect(graph[graph.order[2]].inputs == graph[graph.order[1]].outputs)
    #expect(graph[graph.order[3]].inputs == graph.inputs)
    #expect(graph[graph.order[1]].location == SourceLocation(file: "f", line: 3, column: 1))
  }

  @Test func `losses, accuracies and labels are left out with what hangs on them`() throws {
    let net = try lowered(
      """
      layer { name: "d" type: "Data" top: "data" top: "label" data_param { batch_size: 4 }
        transform_param { crop_size: 8 mean_value: [1, 2.5] scale: 0.5 } }
      layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { kernel_size: 8 } }
      layer { name: "s" type: "Silence" bottom: "label" }
      layer { name: "a" type: "Accuracy" bottom: "p" bottom: "label" top: "a" }
      layer { name: "l" type: "SoftmaxWithLoss" bottom: "p" bottom: "label" top: "l" top: "q" }
      layer { name: "t" type: "Power" bottom: "l" top: "t" }
      """)
    #expect(names(net.graph, net.graph.outputs) == ["q"])
    #expect(net.graph[net.graph.inputs[0]].shape.extents == [1, 2, 8, 8])
    #expect(
      net.findings.map(\.description) == [
        "f:2:3: note: layer \"d\" (Data) subtracts 1,2.5 and scales by 0.5; the net is compiled "
          + "without that (see --mean and --scale)",
        "f: note: left out, for training and testing only: s (Silence), a (Accuracy), "
          + "l (SoftmaxWithLoss), t (Power)",
        "f: note: left out, labels: label",
      ])
  }

  @Test func `inputs that only losses read are left out`() throws {
    let net = try lowered(
      """
      layer { name: "i" type: "Input" top: "x" top: "y" input_param { shape { dim: 3 dim: 2 } } }
      layer { name: "r" type: "ReLU" bottom: "x" top: "r" }
      layer { name: "l" type: "EuclideanLoss" bottom: "r" bottom: "y" top: "l" }
      """)
    #expect(names(net.graph, net.graph.inputs) == ["x"])
    #expect(names(net.graph, net.graph.outputs) == ["r"])
    #expect(
      net.findings.last?.description == "f: note: input \"y\" is left out: only training "
        + "layers read it")
  }

  @Test func `weights are found by layer name`() throws {
    let net = try lowered(
      input + product("a", bottom: "x"),
      [
        LayerBlobs(name: "other", type: "", blobs: [try blob([1], [1])]),
        LayerBlobs(name: "a", type: "", blobs: [try blob([2, 2], [1, 2, 3, 4])]),
      ])
    #expect(net.graph[net.graph.order[0]].parameters[0].values == [1, 2, 3, 4])
    #expect(
      net.findings.map(\.description) == ["w: note: layers that the net does not have: other"])
    #expect(net.missingWeights == [])
  }

  @Test func `weights of another shape or name are refused`() throws {
    let text = input + product("fc", bottom: "x")
    #expect(
      message(
        text, [LayerBlobs(name: "fc", type: "", blobs: [try blob([2, 3], [0, 0, 0, 0, 0, 0])])]
      )
      .hasPrefix("w: layer \"fc\": blob 0 has shape [2,3]"))
    #expect(
      message(text, [LayerBlobs(name: "FC", type: "", blobs: [try blob([1], [0])])])
        == "f:2:1: layer \"fc\" (InnerProduct): no caffemodel has weights for it, by this name; "
        + "did you mean \"FC\"?")
    #expect(
      message(
        text + product("fc", bottom: "fc").replacing("top: \"fc\"", with: "top: \"g\""),
        [LayerBlobs(name: "fc", type: "", blobs: [try blob([2, 2], [0, 0, 0, 0])])])
        == "f:3:15: layer \"fc\" (InnerProduct): two layers of this name, so that their weights "
        + "cannot be told apart")
  }

  @Test func `missing weights are zeros with their layers named, if that is allowed`() throws {
    let net = try lowered(input + product("a", bottom: "x"), optional: true)
    #expect(net.missingWeights == ["a"])
    #expect(net.graph[net.graph.order[0]].parameters[0].values == [0, 0, 0, 0])
  }

  @Test func `a prototxt may hold weights itself`() throws {
    let net = try lowered(
      input + product("a", "blobs { shape { dim: [2, 2] } data: [1, 2, 3, 4] }", bottom: "x"))
    #expect(net.graph[net.graph.order[0]].parameters[0].values == [1, 2, 3, 4])
    let legacy = try lowered(
      input
        + product(
          "a", "blobs { num: 1 channels: 1 height: 2 width: 2 double_data: [1, 2, 3, 4] }",
          bottom: "x"))
    #expect(legacy.graph[legacy.graph.order[0]].parameters[0].values == [1, 2, 3, 4])
    #expect(
      message(input + product("a", "blobs { shape { dim: 2 } data: 1 }", bottom: "x"), [])
        == "f:2:116: layer \"a\" (InnerProduct): shape [2] needs 2 values, there are 1")
  }

  @Test(arguments: ["a", "b"]) func `layers share parameters by name, whoever has them`(
    _ owner: String
  ) throws {
    let text =
      input + product("a", "param { name: \"w\" }", bottom: "x")
      + product("b", "param { name: \"w\" lr_mult: 1 }", bottom: "a")
    let net = try lowered(
      text, [LayerBlobs(name: owner, type: "", blobs: [try blob([2, 2], [1, 2, 3, 4])])])
    #expect(
      net.graph.order.map { net.graph[$0].parameters[0].values } == [
        [1, 2, 3, 4], [1, 2, 3, 4],
      ])
    #expect(net.missingWeights == [])
  }

  @Test func `shared parameters must agree`() throws {
    let a = LayerBlobs(name: "a", type: "", blobs: [try blob([2, 2], [1, 2, 3, 4])])
    let b = LayerBlobs(name: "b", type: "", blobs: [try blob([2, 2], [1, 2, 3, 5])])
    func text(_ first: String, _ second: String, outputs: Int = 2) -> String {
      input + product("a", "param { name: \"w\" \(first) }", bottom: "x")
        + product("b", "param { name: \"w\" \(second) }", bottom: "a", outputs: outputs)
    }
    #expect(
      message(text("", ""), [a, b]).hasSuffix(
        "the shared parameter \"w\" has other values than in layer \"a\""))
    #expect(
      message(text("", "", outputs: 1), [a]).hasSuffix(
        "the shared parameter \"w\" has shape [2,2] in layer \"a\", here [1,2]"))
    #expect(
      message(text("lr_mult: 1", "lr_mult: 2"), [a]).hasSuffix(
        "the shared parameter \"w\" has another lr_mult elsewhere; give it once"))
    #expect(
      message(text("", ""), []).hasSuffix(
        "layer \"a\" (InnerProduct): its weights are missing; give the caffemodel that has them"))
  }

  @Test func `a permissive share needs only as many elements`() throws {
    let net = try lowered(
      """
      input: "x" input_shape { dim: 1 dim: 4 }
      layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" }
        inner_product_param { num_output: 1 bias_term: false } }
      layer { name: "s" type: "Scale" bottom: "x" top: "s"
        param { name: "w" share_mode: PERMISSIVE } }
      """, [LayerBlobs(name: "a", type: "", blobs: [try blob([1, 4], [1, 2, 3, 4])])])
    let scale = net.graph[net.graph.order[1]].parameters[0]
    #expect(scale.values == [1, 2, 3, 4])
    #expect(scale.shape.extents == [4])
  }

  @Test func `several bottoms share the weights of one convolution`() throws {
    let net = try lowered(
      """
      input: "x" input_shape { dim: 1 dim: 1 dim: 2 dim: 2 }
      input: "y" input_shape { dim: 1 dim: 1 dim: 2 dim: 2 }
      layer { name: "c" type: "ConvolutionReLU" bottom: "x" bottom: "y" top: "a" top: "b"
        convolution_param { num_output: 1 kernel_size: 2 bias_term: false } }
      """, [LayerBlobs(name: "c", type: "", blobs: [try blob([1, 1, 2, 2], [1, 2, 3, 4])])])
    let nodes = net.graph.order.map { net.graph[$0] }
    #expect(nodes.map(\.sourceType) == ["ConvolutionReLU", "ReLU", "ConvolutionReLU", "ReLU"])
    #expect(nodes[0].parameters == nodes[2].parameters)
    #expect(names(net.graph, net.graph.outputs) == ["a", "b"])
  }

  @Test func `masks of dynamic network surgery are applied`() throws {
    let net = try lowered(
      input
        + """
        layer { name: "c" type: "CInnerProduct" bottom: "x" top: "c"
          param {} param {} param {} param {} inner_product_param { num_output: 1 } }
        """,
      [
        LayerBlobs(
          name: "c", type: "CInnerProduct",
          blobs: [
            try blob([1, 2], [5, 6]), try blob([1], [7]), try blob([1, 2], [0, 1]),
            try blob([1], [0]),
          ])
      ])
    #expect(net.graph[net.graph.order[0]].parameters.map(\.values) == [[0, 6], [0]])
  }

  @Test func `statistics of the batch are used only if the layer says so`() throws {
    func statistics(_ field: String) throws -> Operation {
      let net = try lowered(
        input + "layer { name: \"b\" type: \"BatchNorm\" bottom: \"x\" top: \"b\" "
          + "batch_norm_param { \(field) eps: 0.25 } }", optional: true)
      return net.graph[net.graph.order[0]].operation
    }
    #expect(
      try statistics("") == .batchNorm(BatchNorm(epsilon: 0.25, usesStoredStatistics: true)))
    #expect(
      try statistics("use_global_stats: false")
        == .batchNorm(BatchNorm(epsilon: 0.25, usesStoredStatistics: false)))
  }

  @Test func `padding in a fused pooling layer is warned about`() throws {
    func findings(_ pooling: String) throws -> [String] {
      try lowered(
        "input: \"x\" input_shape { dim: 1 dim: 1 dim: 4 dim: 4 }\n"
          + "layer { name: \"p\" type: \"ReLUPooling\" bottom: \"x\" top: \"p\" "
          + "pooling_param { kernel_size: 2 \(pooling) } }"
      ).findings.map(\.description)
    }
    #expect(try findings("") == [])
    #expect(
      try findings("pad: 1") == [
        "f:2:96: warning: layer \"p\" (ReLUPooling) pads before pooling, which SkimCaffe computes "
          + "otherwise than Caffe; done here as in Caffe"
      ])
  }

  @Test func `what Silence swallows counts if there is nothing else`() throws {
    let net = try lowered(
      input + "layer { name: \"r\" type: \"ReLU\" bottom: \"x\" top: \"r\" }\n"
        + "layer { name: \"s\" type: \"Silence\" bottom: \"r\" }")
    #expect(names(net.graph, net.graph.outputs) == ["r"])
  }
}
