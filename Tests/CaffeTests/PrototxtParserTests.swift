import IR
import Testing

@testable import Caffe

@Suite struct PrototxtParserTests {
  private func net(_ text: String) throws -> TextMessage {
    try Prototxt.parse(text: text, file: "net.prototxt", as: .net).message
  }

  private func layer(_ text: String) throws -> TextMessage {
    let net = try net("layer { \(text) }")
    return try #require(net.messages("layer").first)
  }

  @Test func `reads every way of writing a field`() throws {
    let net = try net(
      """
      \u{FEFF}# comment with any bytes
      name: "a" 'b' "c";
      layer: < name: 'l' bottom: ["x", 'y'] , top: "z" >
      layer { blobs { data: [1, -2.5, .5, 1e3f, 3., 0.1F] shape { dim: 0x10 dim: 010 dim: -1 } } }
      input_shape [ { dim: 1 }, < dim: 2 > ] input: []
      force_backward: t debug_info: 0
      """)
    #expect(net.string("name") == "abc")
    let layers = net.messages("layer")
    #expect(layers[0].strings("bottom") == ["x", "y"])
    let blob = layers[1].messages("blobs")[0]
    #expect(blob.floats("data") == [1, -2.5, 0.5, 1000, 3, 0.1])
    #expect(blob.message("shape").integers("dim") == [16, 8, -1])
    #expect(net.messages("input_shape").map { $0.integers("dim") } == [[1], [2]])
    #expect(net.count("input") == 0)
    #expect(net.bool("force_backward"))
    #expect(net.has("debug_info") && !net.bool("debug_info"))
  }

  @Test func `replaces escapes in strings`() throws {
    #expect(
      try net(#"name: "a\n\t\\\"\'\x41\101\u00e9\U0001F600é""#).string("name")
        == "a\n\t\\\"'AAé😀é")
  }

  @Test func `reads special floats`() throws {
    let data = try layer("loss_weight: [inf, -inf, nan, -Infinity]").floats("loss_weight")
    #expect(data[0] == .infinity && data[1] == -.infinity && data[2].isNaN)
    #expect(data[3] == -.infinity)
  }

  @Test func `gives a field that is missing its default`() throws {
    let layer = try layer("convolution_param { num_output: 5 }")
    let convolution = layer.message("convolution_param")
    #expect(convolution.bool("bias_term"))
    #expect(convolution.integer("group") == 1)
    #expect(convolution.enumName("conv_mode") == "LOWERED_GEMM")
    #expect(layer.message("inner_product_param").float("threshold") == 1.281)
    #expect(layer.message("reduction_param").enumName("operation") == "SUM")
    #expect(!layer.has("inner_product_param"))
  }

  @Test func `accepts the number of an enum's name`() throws {
    #expect(
      try layer("pooling_param { pool: 1 }").message("pooling_param").enumName("pool") == "AVE")
    #expect(
      try layer("reduction_param { operation: 4 }").message("reduction_param")
        .enumName("operation") == "MEAN")
  }

  @Test func `knows the place of names and values`() throws {
    let layer = try net("\nlayer {\n  name: \"é\"  type:\n   \"ReLU\" }").messages("layer")[0]
    #expect(layer.location == SourceLocation(file: "net.prototxt", line: 2, column: 1))
    #expect(
      layer.location(of: "type") == SourceLocation(file: "net.prototxt", line: 4, column: 4))
    #expect(
      layer.fields[1].position == TextMessage.Position(line: 3, column: 14))
  }

  /// Text, and the one line that refuses it.
  static let mistakes: [(text: String, message: String)] = [
    (
      "layer { convolution_param { kernelsize: 3 } }",
      "1:29: unknown field \"kernelsize\" in ConvolutionParameter; did you mean \"kernel_size\"?"
    ),
    (
      "layer { num_output: 3 }",
      "1:9: unknown field \"num_output\" in LayerParameter; it belongs inside convolution_param or "
        + "embed_param or inner_product_param or recurrent_param"
    ),
    ("layer { nonsense_of_mine: 3 }", "1:9: unknown field \"nonsense_of_mine\" in LayerParameter"),
    (
      "layer { param { group_decay_mult: 1 } }",
      "1:17: unknown field \"group_decay_mult\" in ParamSpec: an older name; use "
        + "kernel_shape_decay_mult (columns) or breadth_decay_mult (rows)"
    ),
    ("name: \"a\"\nname: \"b\"", "2:1: \"name\" is given twice, in line 1 and in line 2; keep one"),
    (
      "layer { pooling_param { pool: AVG } }",
      "1:31: \"AVG\" is no pool of PoolingParameter; did you mean \"AVE\"?"
    ),
    (
      "layer { pooling_param { pool: 7 } }",
      "1:31: 7 is no pool of PoolingParameter (MAX, AVE, STOCHASTIC)"
    ),
    (
      "layer { convolution_param { conv_mode: 2 } }",
      "1:40: the forks of Caffe number conv_mode differently; write its name (LOWERED_GEMM, "
        + "LOWERED_CSRMM, LOWERED_CCNMM, DIRECT_SCONV, DIRECT_DCONV)"
    ),
    (
      "layer { connectivity_mode: DISCONNECT_ELTWISE }",
      "1:28: \"DISCONNECT_ELTWISE\" is no connectivity_mode of LayerParameter; did you mean "
        + "\"DISCONNECTED_ELTWISE\"?"
    ),
    (
      "layer { type: ReLU }",
      "1:15: expected a string in quotes for \"type\", found \"ReLU\""
    ),
    (
      "layers { type: \"Convolution\" }",
      "1:16: \"type\" of V1LayerParameter takes a name without quotes (NONE, ACCURACY, BNLL, "
        + "CONCAT, CONVOLUTION, DATA, DROPOUT, EUCLIDEAN_LOSS, ...)"
    ),
    (
      "layer { convolution_param { num_output: -1 } }",
      "1:42: -1 does not fit \"num_output\", which takes 0 to 4294967295"
    ),
    (
      "layer { convolution_param { axis: 3000000000 } }",
      "1:35: 3000000000 does not fit \"axis\", which takes -2147483648 to 2147483647"
    ),
    (
      "layer { convolution_param { num_output: 2.0 } }",
      "1:41: expected an integer for \"num_output\", found \"2.0\""
    ),
    ("layer { loss_weight: 1e99 }", "1:22: 1e99 is too large for \"loss_weight\", a float"),
    (
      "layer { loss_weight: 010 }",
      "1:22: \"010\" where a float is expected; write it without a leading zero"
    ),
    ("layer { name \"x\" }", "1:14: expected \":\" behind \"name\", found a string"),
    (
      "layer { relu_param: 3 }",
      "1:21: expected \"{\" behind \"relu_param\", which is a group of fields, found \"3\""
    ),
    (
      "layer {\n name: \"x\"",
      "2:11: the file ends inside the group opened in line 1; a \"}\" is missing"
    ),
    ("layer { name: \"x\" } }", "1:21: expected the name of a field of NetParameter, found \"}\""),
    ("name: \"abc", "1:7: a string that is not closed on its line; a quote is missing"),
    (
      "name: \"a\\qb\"",
      "1:7: a string with the unknown escape \"\\q\"; write \\\\ for a backslash"
    ),
    ("name: \"\\xff\"", "1:7: the string for \"name\" is not valid UTF-8"),
    ("name: \"a\" @", "1:11: the character \"@\" is no part of a prototxt"),
    ("name: \"a\" \u{0}", "1:11: the byte 0x00 is no part of a prototxt; is this a binary file?"),
    (
      "layer { top: [\"a\" \"b\", ] }", "1:24: expected a string in quotes for \"top\", found \"]\""
    ),
    ("name: [\"a\"]", "1:7: \"name\" takes one value, not a list"),
    ("input_dim: 08", "1:12: \"08\" is no octal number"),
    ("input_dim: 1x", "1:12: a malformed number; put a space behind a number that ends here"),
    (
      "[caffe.extra]: 1",
      "1:1: extension fields in brackets are unknown to Caffe; remove this one"
    ),
  ]

  @Test(arguments: mistakes) func `says where a mistake is and what to do`(
    _ mistake: (text: String, message: String)
  ) {
    #expect(throws: Diagnostic.self) { try self.net(mistake.text) }
    do {
      _ = try net(mistake.text)
    } catch {
      #expect("\(error)" == "net.prototxt:\(mistake.message)")
    }
  }

  @Test func `skips unknown fields whole if they are allowed`() throws {
    let text = """
      layer { name: "a" frobnicate { x: [1, { y: "}" }] z < w: -inf > } top: "t"
        newer: -3 list: ["a" "b", c] }
      brand_new: ENUM
      """
    let result = try Prototxt.parse(text: text, file: "n", as: .net, allowUnknownFields: true)
    #expect(result.message.text == "layer {\n  name: \"a\"\n  top: \"t\"\n}\n")
    #expect(
      result.warnings.map(\.description) == [
        "n:1:19: warning: unknown field \"frobnicate\" in LayerParameter; skipped",
        "n:2:3: warning: unknown field \"newer\" in LayerParameter; skipped",
        "n:2:13: warning: unknown field \"list\" in LayerParameter; skipped",
        "n:3:1: warning: unknown field \"brand_new\" in NetParameter; skipped",
      ])
  }

  @Test func `refuses nesting that would exhaust the stack`() {
    let deep = String(repeating: "net_param { layer { a {", count: 50_000)
    #expect(throws: Diagnostic.self) {
      try Prototxt.parse(text: deep, file: "deep", allowUnknownFields: true)
    }
    let unknown = String(repeating: "a { ", count: 50_000)
    do {
      _ = try Prototxt.parse(text: unknown, file: "deep", as: .net, allowUnknownFields: true)
      Issue.record("accepted")
    } catch {
      #expect("\(error)" == "deep:1:403: groups nested deeper than 100")
    }
  }

  @Test func `tells a net from a solver`() throws {
    #expect(try Prototxt.parse(text: "debug_info: true layer {}", file: "f").kind == .net)
    #expect(try Prototxt.parse(text: "debug_info: true base_lr: 1", file: "f").kind == .solver)
    #expect(try Prototxt.parse(text: "input: \"x\"", file: "f").kind == .net)
    #expect(throws: Diagnostic.error("this is a solver, not a net", file: "f")) {
      try Prototxt.parse(text: "base_lr: 0.1", file: "f", as: .net)
    }
    #expect(
      throws: Diagnostic.error("holds no fields; a net or a solver is expected", file: "f")
    ) { try Prototxt.parse(text: "# nothing\n", file: "f") }
  }

  @Test(arguments: [
    ("no/such/file.prototxt", "there is no such file"),
    ("/", "is a folder where a file is expected"),
    ("/dev/null", "holds no fields; a net or a solver is expected"),
    ("/dev/zero", "larger than 64 MB, which no prototxt is"),
  ]) func `reports a file that cannot be read`(_ file: (path: String, message: String)) {
    #expect(throws: Diagnostic.error(file.message, file: file.path)) {
      try Prototxt.read(file.path, as: .net)
    }
  }
}
