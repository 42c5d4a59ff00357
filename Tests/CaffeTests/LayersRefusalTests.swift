import IR
import Testing

@testable import Caffe

@Suite struct LayersRefusalTests {
  /// A net that reads `x`, an input of [2,4,8,8], and the line that refuses it.
  private func refusal(_ text: String, optional: Bool = true) -> String {
    let input = "input: \"x\" input_shape { dim: 2 dim: 4 dim: 8 dim: 8 }\n"
    var options = NetReader.Options()
    options.weightsOptional = optional
    do {
      _ = try NetReader.read(
        Prototxt.parse(text: input + text, file: "f"), options: options)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  private func layer(_ type: String, _ rest: String = "", bottom: String = "x", top: String = "y")
    -> String
  {
    "layer { name: \"l\" type: \"\(type)\" bottom: \"\(bottom)\" top: \"\(top)\"\n \(rest) }"
  }

  static let combinations: [(type: String, fields: String, reason: String)] = [
    ("Convolution", "", "2:1: num_output is missing"),
    (
      "Convolution", "convolution_param { num_output: 0 }",
      "3:34: num_output is 0; it must be at least 1"
    ),
    ("Convolution", "convolution_param { num_output: 2 }", "3:2: kernel_size is missing"),
    (
      "Convolution", "convolution_param { num_output: 2 kernel_size: 3 kernel_h: 3 kernel_w: 3 }",
      "3:61: kernel_size and kernel_h both size the window; keep one of them"
    ),
    (
      "Convolution", "convolution_param { num_output: 2 kernel_h: 3 }",
      "3:46: kernel_h without kernel_w"
    ),
    (
      "Convolution", "convolution_param { num_output: 2 kernel_size: [3, 3, 3] }",
      "3:50: 3 values of kernel_size for 2 spatial axes"
    ),
    (
      "Convolution", "convolution_param { num_output: 2 kernel_h: 3 kernel_w: 3 axis: 2 }",
      "3:46: kernel_h is for two spatial axes, the input has 1; use kernel_size"
    ),
    (
      "Convolution", "convolution_param { num_output: 2 kernel_size: 3 stride: 0 }",
      "3:2: a stride of 0"
    ),
    (
      "Convolution", "convolution_param { num_output: 2 kernel_size: 9 }",
      "2:1: a window of extent 9 does not fit into 8 with padding 0"
    ),
    (
      "Convolution", "convolution_param { num_output: 3 kernel_size: 3 group: 2 }",
      "3:58: num_output 3 is no multiple of group 2"
    ),
    (
      "Convolution", "convolution_param { num_output: 3 kernel_size: 3 group: 3 }",
      "2:1: 4 input channels do not divide into 3 groups"
    ),
    (
      "Convolution", "convolution_param { num_output: 3 kernel_size: 3 axis: 4 }",
      "3:57: axis 4 of shape [2,4,8,8], which has 4 axes"
    ),
    (
      "Convolution",
      "param {} param {} param {} param {} "
        + "convolution_param { num_output: 3 kernel_size: 3 }",
      "3:8: 4 param entries for 2 blobs"
    ),
    (
      "Winograd", "convolution_param { num_output: 3 kernel_size: 3 stride: 2 }",
      "2:1: Winograd needs a 3x3 or 5x5 kernel, stride 1 and dilation 1; use Convolution"
    ),
    (
      "ConvolutionReLU", "relu_param { negative_slope: 1 }",
      "3:31: a fused ReLU has no negative_slope"
    ),
    (
      "ReLUPooling", "pooling_param { pool: AVE kernel_size: 2 }",
      "3:24: pooling with a ReLU is MAX pooling"
    ),
    ("Pooling", "", "2:1: kernel_size is missing"),
    ("Pooling", "pooling_param { kernel_h: 2 }", "3:28: kernel_h and kernel_w go together"),
    (
      "Pooling", "pooling_param { kernel_size: 2 kernel_h: 2 kernel_w: 2 }",
      "3:31: kernel_size and kernel_h both size the window; keep one of them"
    ),
    (
      "Pooling", "pooling_param { kernel_size: 2 pad: 2 }",
      "2:1: padding 2 is not smaller than the kernel 2"
    ),
    (
      "Pooling", "pooling_param { global_pooling: true kernel_size: 2 }",
      "3:52: global_pooling takes the whole image; remove kernel_size"
    ),
    (
      "Pooling", "pooling_param { global_pooling: true pad: 1 }",
      "3:44: global_pooling works with pad 0 only"
    ),
    (
      "Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 3 pad: 1 }",
      "3:2: stochastic pooling has no padding"
    ),
    (
      "Pooling", "top: \"z\" pooling_param { pool: AVE kernel_size: 3 }",
      "2:52: only MAX pooling has a second top, the positions"
    ),
    ("LRN", "lrn_param { local_size: 4 }", "3:26: local_size 4 is not odd"),
    (
      "Concat", "concat_param { axis: 1 concat_dim: 1 }",
      "3:37: axis and concat_dim say the same; keep axis"
    ),
    (
      "Slice", "slice_param { slice_point: 1 }",
      "3:29: 1 values of slice_point for 1 tops; give 0"
    ),
    ("Exp", "exp_param { base: 0 }", "3:20: the base 0.0 is not positive"),
    ("Clip", "clip_param { min: 0 }", "3:2: clip_param needs min and max"),
    ("Reshape", "reshape_param { shape { dim: -2 } }", "3:24: dim -2; -1 is inferred, 0 copied"),
    (
      "Reshape", "reshape_param { shape { dim: 3 } }",
      "2:1: [2,4,8,8] has 512 elements, [3] has 3"
    ),
    ("Tile", "", "2:1: tiles is missing"),
    (
      "Softmax", "softmax_param { axis: 7 }",
      "2:1: axis 7 of shape [2,4,8,8], which has 4 axes"
    ),
    ("ReLU", "bottom: \"x\"", "2:40: 2 bottoms where it takes 1"),
    ("Eltwise", "", "2:43: 1 bottoms where it takes 2 or more"),
    (
      "Eltwise", "bottom: \"x\" eltwise_param { coeff: 1 }",
      "3:37: 1 values of coeff for 2 bottoms"
    ),
    (
      "Eltwise", "bottom: \"x\" eltwise_param { operation: PROD coeff: 1 coeff: 2 }",
      "3:53: coeff is for SUM only"
    ),
    ("Convolution", "bottom: \"x\"", "2:56: 2 bottoms and 1 tops; give as many of each"),
    ("ReLU", "loss_weight: 1 loss_weight: 2", "3:15: 2 values of loss_weight for 1 tops"),
    (
      "ReLU", "propagate_down: [true, true]",
      "3:19: 2 values of propagate_down for 1 bottoms"
    ),
    ("LSTM", "", "2:25: recurrent layers are not supported"),
    ("Python", "", "2:25: a layer written in Python cannot be compiled"),
    ("Filter", "", "2:25: its output's size depends on the data"),
    (
      "InnerProduct", "inner_product_param { num_output: 4000000000 }",
      "2:1: shape [2,4000000000] has more than 2147483647 elements"
    ),
    (
      "InnerProduct", "inner_product_param { num_output: 8000000 }",
      "2:1: with it the net has 2056000000 weights; at most 536870912 are possible"
    ),
  ]

  @Test(arguments: combinations) func `fields that Caffe rejects are refused at their place`(
    _ combination: (type: String, fields: String, reason: String)
  ) throws {
    let colon = try #require(combination.reason.firstRange(of: ": "))
    let place = combination.reason[..<colon.lowerBound]
    let reason = combination.reason[colon.upperBound...]
    #expect(
      refusal(layer(combination.type, combination.fields))
        == "f:\(place): layer \"l\" (\(combination.type)): \(reason)")
  }

  @Test func `an unknown type is refused with the nearest name`() {
    #expect(
      refusal(layer("Convolutoin"))
        == "f:2:25: layer \"l\" is of the unknown type \"Convolutoin\"; "
        + "did you mean \"Convolution\"?")
    #expect(refusal("layer { name: \"l\" }") == "f:2:1: layer \"l\" has no type")
  }

  @Test func `a blob that nobody makes is explained`() {
    #expect(
      refusal(layer("ReLU", bottom: "X"))
        == "f:2:40: layer \"l\" (ReLU) reads blob \"X\", which no earlier layer makes; "
        + "did you mean \"x\"?")
    #expect(
      refusal(
        layer("ReLU", bottom: "z") + "\n"
          + "layer { name: \"m\" type: \"ReLU\" bottom: \"x\" top: \"z\" }")
        == "f:2:40: layer \"l\" (ReLU) reads blob \"z\", which no earlier layer makes; "
        + "\"m\" is below it")
    #expect(
      refusal(
        "layer { name: \"m\" type: \"ReLU\" bottom: \"x\" top: \"z\" include { phase: TRAIN } }\n"
          + layer("ReLU", bottom: "z"))
        == "f:3:40: layer \"l\" (ReLU) reads blob \"z\", which no earlier layer makes; "
        + "\"m\" takes no part in phase TEST")
  }

  @Test func `a blob has one maker`() {
    #expect(
      refusal(layer("ReLU") + "\n" + layer("Sigmoid"))
        == "f:4:52: layer \"l\" (Sigmoid) makes blob \"y\", which layer \"l\" makes already; "
        + "give one of them another name")
    #expect(
      refusal(layer("Split", "top: \"y\""))
        == "f:3:7: layer \"l\" (Split) makes blob \"y\", which layer \"l\" makes already; "
        + "give one of them another name")
    #expect(
      refusal(layer("Flatten", top: "x"))
        == "f:2:52: layer \"l\" (Flatten): it cannot work in place; give its top a name of its own"
    )
  }

  @Test func `weights must be there unless they are optional`() {
    let product = layer("InnerProduct", "inner_product_param { num_output: 2 }")
    #expect(refusal(product) == "accepted")
    #expect(
      refusal(product, optional: false)
        == "f:2:1: layer \"l\" (InnerProduct): its weights are missing; give the caffemodel that "
        + "has them")
  }

  @Test func `a net needs something to compute`() {
    #expect(refusal("") == "f: no layer is left that computes anything")
    #expect(
      throws: Diagnostic.error("this is a solver, not a net", file: "f")
    ) { try NetReader.read(Prototxt.parse(text: "base_lr: 1", file: "f")) }
  }

  @Test func `an input shape must find its input`() throws {
    let net = try Prototxt.parse(
      text: "input: \"image\" input_shape { dim: 1 dim: 2 }\n"
        + "layer { name: \"r\" type: \"ReLU\" bottom: \"image\" top: \"r\" }", file: "f")
    var options = NetReader.Options()
    options.inputShapes = [NetReader.InputShape(name: "imag", extents: [3])]
    #expect(
      throws: Diagnostic.error(
        "--input-shape: the net has no input \"imag\"; did you mean \"image\"?", file: "f")
    ) { try NetReader.read(net, options: options) }
    options.inputShapes = [NetReader.InputShape(name: "image", extents: [3, 5])]
    let graph = try NetReader.read(net, options: options).graph
    #expect(graph[graph.outputs[0]].shape.extents == [1, 3, 5])
  }
}
