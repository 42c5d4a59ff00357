import IR
import Testing

@testable import Caffe

@Suite struct PrototxtUpgradeTests {
  private func upgraded(_ text: String) throws -> String {
    try Upgrade.current(Prototxt.parse(text: text, file: "f")).message.text
  }

  private func refusal(_ text: String) -> String {
    do {
      return "accepted as \(try upgraded(text))"
    } catch {
      return "\(error)"
    }
  }

  @Test func `V1 layers get type names and param specs`() throws {
    let text = """
      name: "n"
      layers {
        bottom: "data" top: "c" name: "c" type: CONVOLUTION
        blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
        param: "w" blob_share_mode: PERMISSIVE
        convolution_param { num_output: 3 kernel_size: 5 }
        include { phase: TEST }
      }
      layers { name: "l" type: 21 bottom: "c" bottom: "label" loss_weight: 0.5 }
      """
    #expect(
      try upgraded(text) == """
        name: "n"
        layer {
          bottom: "data"
          top: "c"
          name: "c"
          type: "Convolution"
          convolution_param {
            num_output: 3
            kernel_size: 5
          }
          include {
            phase: TEST
          }
          param {
            lr_mult: 1
            decay_mult: 1
            name: "w"
            share_mode: PERMISSIVE
          }
          param {
            lr_mult: 2
            decay_mult: 0
          }
        }
        layer {
          name: "l"
          type: "SoftmaxWithLoss"
          bottom: "c"
          bottom: "label"
          loss_weight: 0.5
        }

        """)
  }

  @Test func `V1 data layers move their preprocessing`() throws {
    let text = """
      layers { name: "d" type: DATA top: "data"
        data_param { source: "s" scale: 0.5 mean_file: "m" batch_size: 4 crop_size: 227 mirror: true } }
      """
    #expect(
      try upgraded(text) == """
        layer {
          name: "d"
          type: "Data"
          top: "data"
          data_param {
            source: "s"
            batch_size: 4
          }
          transform_param {
            scale: 0.5
            mean_file: "m"
            crop_size: 227
            mirror: true
          }
        }

        """)
  }

  @Test func `V0 padding layers fold into the convolution behind them`() throws {
    let text = """
      input: "data" input_dim: [1, 3, 8, 8]
      layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
      layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 biasterm: false
        weight_filler { type: "gaussian" } blobs_lr: 1. weight_decay: 0. } bottom: "pad1" top: "conv1" }
      layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 2 stride: 2 }
        bottom: "conv1" top: "pool1" }
      """
    #expect(
      try upgraded(text) == """
        layer {
          name: "input"
          type: "Input"
          top: "data"
          input_param {
            shape {
              dim: 1
              dim: 3
              dim: 8
              dim: 8
            }
          }
        }
        layer {
          name: "conv1"
          type: "Convolution"
          bottom: "data"
          top: "conv1"
          convolution_param {
            num_output: 4
            kernel_size: 3
            bias_term: false
            weight_filler {
              type: "gaussian"
            }
            pad: 2
          }
          param {
            lr_mult: 1
            decay_mult: 0
          }
        }
        layer {
          name: "pool1"
          type: "Pooling"
          bottom: "conv1"
          top: "pool1"
          pooling_param {
            pool: AVE
            kernel_size: 2
            stride: 2
          }
        }

        """)
  }

  @Test func `inputs become one layer in front of all others`() throws {
    let text = """
      name: "n" layer { name: "r" type: "ReLU" bottom: "a" top: "a" }
      input: "a" input_shape { dim: 2 dim: 3 } input: "b" input_shape { dim: 7 }
      """
    let net = try Upgrade.current(Prototxt.parse(text: text, file: "f")).message
    let layers = net.messages("layer")
    #expect(layers.map { $0.string("type") } == ["Input", "ReLU"])
    #expect(layers[0].strings("top") == ["a", "b"])
    #expect(
      layers[0].message("input_param").messages("shape").map { $0.integers("dim") }
        == [[2, 3], [7]])
    #expect(layers[0].location == SourceLocation(file: "f", line: 2, column: 1))
  }

  @Test func `an input without any shape is dropped`() throws {
    #expect(try upgraded("input: \"a\" name: \"n\"") == "name: \"n\"\n")
  }

  @Test func `normalize becomes normalization`() throws {
    func loss(_ text: String) throws -> String {
      try upgraded("layer { loss_param { \(text) } }")
        .split(separator: "\n").map { $0.trimming(" ") }.joined(separator: " ")
    }
    #expect(try loss("normalize: false") == "layer { loss_param { normalization: BATCH_SIZE } }")
    #expect(try loss("normalize: true") == "layer { loss_param { normalization: VALID } }")
    #expect(
      try loss("normalize: false normalization: FULL")
        == "layer { loss_param { normalization: FULL } }")
  }

  @Test func `statistics of BatchNorm are never trained`() throws {
    let net = try Upgrade.current(
      Prototxt.parse(
        text: "layer { type: \"BatchNorm\" param { lr_mult: 0 } param {} param { lr_mult: 2 } }",
        file: "f")
    ).message
    let parameters = net.messages("layer")[0].messages("param")
    #expect(parameters.map { $0.float("lr_mult") } == [0, 0, 0])
    #expect(parameters.map { $0.float("decay_mult") } == [0, 0, 0])
  }

  @Test func `a solver names its method in type`() throws {
    #expect(
      try upgraded("base_lr: 1 solver_type: RMSPROP net_param { input: \"x\" name: \"n\" }")
        == "base_lr: 1\ntype: \"RMSProp\"\nnet_param {\n  name: \"n\"\n}\n")
  }

  @Test func `refuses what Caffe refuses to upgrade`() {
    #expect(
      refusal("layer { name: \"a\" }\nlayers { name: \"b\" }")
        == "f:2:8: the net has both \"layer\" and \"layers\", two generations of the format; "
        + "use \"layer\"")
    #expect(
      refusal("solver_type: SGD type: \"Adam\"")
        == "f:1:14: solver_type and type both name the method; keep type")
    #expect(
      refusal("input: \"a\" input_dim: 1 input_dim: 2")
        == "f:1:23: 1 inputs with 2 input_dim; each input needs 4")
    #expect(
      refusal("layers { layer { type: \"convv\" } }")
        == "f:1:24: unknown layer type \"convv\"; did you mean \"conv\"?")
    #expect(
      refusal("layers { layer { type: \"relu\" kernelsize: 3 } }")
        == "f:1:31: a layer of type \"relu\" has no kernelsize; remove it")
    #expect(
      refusal(
        "layers { layer { type: \"padding\" pad: 1 } bottom: \"a\" top: \"b\" }\n"
          + "layers { layer { type: \"relu\" } bottom: \"b\" top: \"b\" }")
        == "f:1:1: a padding layer can only feed one convolution or pooling layer")
  }
}

extension Substring {
  fileprivate func trimming(_ character: Character) -> Substring {
    drop { $0 == character }
  }
}

@Suite struct PrototxtNetStateTests {
  private func kept(_ rules: String, in state: NetState) throws -> Bool {
    let net = try Prototxt.parse(text: "layer { name: \"l\" \(rules) }", file: "f").message
    return try !net.layers(in: state).isEmpty
  }

  @Test func `rules choose by phase, level and stage`() throws {
    let test = NetState()
    let train = NetState(phase: .train)
    #expect(try kept("", in: test) && kept("", in: train))
    #expect(try !kept("include: { phase: TRAIN }", in: test))
    #expect(try kept("include: { phase: TRAIN }", in: train))
    #expect(try kept("include { phase: TRAIN } include { phase: TEST }", in: test))
    #expect(try !kept("exclude { phase: TEST }", in: test))
    #expect(try kept("exclude { phase: TEST stage: \"a\" }", in: test))
    #expect(try !kept("exclude { stage: \"a\" }", in: NetState(stages: ["a", "b"])))
    #expect(try !kept("include { stage: \"a\" stage: \"c\" }", in: NetState(stages: ["a", "b"])))
    #expect(try kept("include { stage: \"a\" not_stage: \"c\" }", in: NetState(stages: ["a"])))
    #expect(try !kept("include { not_stage: \"a\" }", in: NetState(stages: ["a"])))
    #expect(try kept("include { min_level: 1 max_level: 3 }", in: NetState(level: 3)))
    #expect(try !kept("include { min_level: 1 max_level: 3 }", in: NetState(level: 4)))
    #expect(try !kept("include { min_level: 1 }", in: test))
  }

  @Test func `a layer that takes part knows its phase`() throws {
    let net = try Prototxt.parse(text: "layer { name: \"l\" }", file: "f").message
    #expect(try net.layers(in: NetState(phase: .train))[0].enumName("phase") == "TRAIN")
  }

  @Test func `rules of both kinds are refused`() {
    #expect(
      throws: Diagnostic.error(
        "layer \"l\" has include and exclude rules; keep one kind",
        at: SourceLocation(file: "f", line: 1, column: 39))
    ) { try kept("include { } exclude { }", in: NetState()) }
  }

  @Test func `a state takes over what a message gives`() throws {
    let solver = try Prototxt.parse(
      text: "train_state { level: 2 stage: \"x\" }", file: "f"
    ).message
    #expect(
      NetState(phase: .train, stages: ["a"]).merging(solver.message("train_state"))
        == NetState(phase: .train, level: 2, stages: ["a", "x"]))
  }
}

@Suite struct PrototxtDialectTests {
  private func dialect(_ text: String) throws -> Dialect? {
    Dialect.detected(in: [try Prototxt.parse(text: text, file: "f").message])?.dialect
  }

  @Test func `a dialect shows by its own fields`() throws {
    #expect(try dialect("layer { type: \"Convolution\" param {} param { lr_mult: 0 } }") == nil)
    #expect(try dialect("layer { type: \"CConvolution\" }") == .dnsY)
    #expect(try dialect("layer { convolution_param { threshold: 1 } }") == .dnsH)
    #expect(try dialect("layer { threshold_param { threshold: 1 } }") == nil)
    #expect(
      try dialect(
        "layer { type: \"Convolution\" param {} param {} param { lr_mult: 0 decay_mult: 0 } }")
        == .dnsH)
    #expect(
      try dialect("layer { type: \"BatchNorm\" param {} param {} param { lr_mult: 0 } }") == nil)
    #expect(try dialect("surgery_iter_gamma: 1") == .dnsH)
    #expect(try dialect("breadth_decay: 1 prune_threshold: 0") == .skim)
    #expect(try dialect("layer { connectivity_mode: CONNECTED }") == .scnn)
    #expect(
      try dialect("layer { connectivity_mode: CONNECTED type: \"ConvolutionReLU\" }") == .skim)
    #expect(try dialect("layer { param { force_mult: 1 } }") == .sfm)
  }
}
