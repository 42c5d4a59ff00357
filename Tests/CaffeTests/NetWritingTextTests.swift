import IR
import Reference
import TestSupport
import Testing

@testable import Caffe

/// What the written text looks like, and what Caffe cannot say.
struct NetWritingTextTests {
  private func graph(_ text: String) throws -> Graph {
    var options = NetReader.Options()
    options.weightsOptional = true
    return try NetReader.read(Prototxt.parse(text: text, file: "f"), options: options).graph
  }

  private func text(_ graph: Graph) throws -> String {
    try NetWriter.write(graph).definition.text
  }

  @Test func `the text is that of current Caffe, without what is usual`() throws {
    let graph = try graph(
      """
      name: "tiny"
      input: "data" input_dim: 10 input_dim: 3 input_dim: 8 input_dim: 9
      layers {
        name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2
        convolution_param { num_output: 4 kernel_h: 3 kernel_w: 5 pad: 1 stride: 1 group: 1 }
      }
      layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
      layers {
        name: "pool1" type: POOLING bottom: "conv1" top: "pool1"
        pooling_param { pool: AVE kernel_size: 3 stride: 2 }
      }
      layers { name: "norm1" type: LRN bottom: "pool1" top: "norm1" lrn_param { alpha: 1e-4 } }
      layers {
        name: "ip" type: INNER_PRODUCT bottom: "norm1" top: "ip"
        inner_product_param { num_output: 2 bias_term: false }
      }
      """)
    #expect(
      try text(graph) == """
        name: "tiny"
        layer {
          name: "data"
          type: "Input"
          top: "data"
          input_param {
            shape {
              dim: 1
              dim: 3
              dim: 8
              dim: 9
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
            pad: 1
            kernel_size: 3
            kernel_size: 5
          }
        }
        layer {
          name: "relu1"
          type: "ReLU"
          bottom: "conv1"
          top: "conv1"
        }
        layer {
          name: "pool1"
          type: "Pooling"
          bottom: "conv1"
          top: "pool1"
          pooling_param {
            pool: AVE
            kernel_size: 3
            stride: 2
          }
        }
        layer {
          name: "norm1"
          type: "LRN"
          bottom: "pool1"
          top: "norm1"
          lrn_param {
            alpha: 0.0001
          }
        }
        layer {
          name: "ip"
          type: "InnerProduct"
          bottom: "norm1"
          top: "ip"
          inner_product_param {
            num_output: 2
            bias_term: false
          }
        }

        """)
  }

  /// `type bottoms -> tops` of every layer behind the input.
  private func wiring(_ graph: Graph) throws -> [String] {
    try NetWriter.write(graph).definition.messages("layer").dropFirst().map { layer in
      let bottoms = layer.strings("bottom").joined(separator: " ")
      let tops = layer.strings("top").joined(separator: " ")
      return "\(layer.string("name")): \(bottoms) > \(tops)"
    }
  }

  @Test func `a layer works in place unless somebody still reads what it overwrites`() throws {
    let plain = try graph(
      """
      input: "x" input_shape { dim: 1 dim: 2 }
      layer { name: "a" type: "ReLU" bottom: "x" top: "x" }
      layer { name: "b" type: "Flatten" bottom: "x" top: "y" }
      layer { name: "c" type: "AbsVal" bottom: "y" top: "z" }
      layer { name: "d" type: "Sigmoid" bottom: "y" top: "y" }
      layer { name: "e" type: "Eltwise" bottom: "y" bottom: "z" top: "f" }
      """)
    #expect(try wiring(plain) == ["a: x > x", "b: x > y", "c: y > z", "d: y > y", "e: y z > f"])
    // Caffe's Split hands out the same memory twice, and Eltwise and AbsVal cannot work in place.
    let shared = try graph(
      """
      input: "e" input_shape { dim: 1 dim: 2 }
      layer { name: "s" type: "Split" bottom: "e" top: "p" top: "q" }
      layer { name: "r" type: "ReLU" bottom: "p" top: "p" }
      layer { name: "t" type: "Eltwise" bottom: "q" bottom: "p" top: "q" }
      layer { name: "u" type: "AbsVal" bottom: "q" top: "q" }
      """)
    #expect(
      try wiring(shared) == ["s: e > p q_2", "r: p > p_2", "t: q_2 p_2 > q_3", "u: q_3 > q"])
    let weights = try graph(
      """
      input: "e" input_shape { dim: 1 dim: 2 }
      layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 2 } } }
      layer { name: "r" type: "ReLU" bottom: "w" top: "w" }
      layer { name: "s" type: "Scale" bottom: "e" bottom: "w" top: "e" scale_param { axis: 1 } }
      """)
    #expect(try wiring(weights) == ["w:  > w", "r: w > w_2", "s: e w_2 > e"])
  }

  @Test func `an older value that is read later keeps a blob of its own`() throws {
    var graph = Graph(name: "")
    let x = graph.addInput(name: "x", shape: try Shape([1, 2]))
    func relu(_ name: String, _ input: ValueID, to blob: String) throws -> ValueID {
      let node = try graph.append(
        .elementwise(Elementwise(.relu(slope: 0))), name: name, inputs: [input],
        outputNames: [blob])
      return graph[node].outputs[0]
    }
    let first = try relu("r", x, to: "y")
    let second = try relu("r", first, to: "y")
    let third = try relu("r_2", second, to: "y")
    let sum = try graph.append(
      .eltwise(Eltwise(.maximum)), name: "max", inputs: [third, first], outputNames: ["y"])
    graph.setOutputs(graph[sum].outputs)
    #expect(
      try wiring(graph) == ["r: x > y_2", "r_3: y_2 > y_3", "r_2: y_3 > y_3", "max: y_3 y_2 > y"])
  }

  @Test func `what is read may be an output, and what nobody reads need not be one`() throws {
    var graph = Graph(name: "")
    let x = graph.addInput(name: "x", shape: try Shape([1, 4]))
    let unused = graph.addInput(name: "unused", shape: try Shape([1, 4]))
    let slice = try graph.append(
      .slice(Slice(parts: 2)), name: "slice", inputs: [x], outputNames: ["a", "b"])
    let relu = try graph.append(
      .elementwise(Elementwise(.relu(slope: 0))), name: "relu", inputs: [graph[slice].outputs[0]],
      outputNames: ["a"])
    graph.setOutputs([graph[slice].outputs[0], graph[relu].outputs[0]])
    #expect(
      try wiring(graph) == [
        "unused:  > unused", "unused_silence: unused > ", "slice: x > a_3 b", "a_output: a_3 > a",
        "b_silence: b > ", "relu: a_3 > a_2",
      ])
    try graph.settleBatch()
    let rewritten = try Rewritten(graph)
    #expect(rewritten.graph.outputs.map { rewritten.graph[$0].name } == ["a", "a_2"])
    let inputs = [
      x: try Tensor.random([1, 4], seed: 1), unused: try Tensor.random([1, 4], seed: 2),
    ]
    try expectSameResults(graph, rewritten.graph, inputs: inputs)
    #expect(try text(rewritten.graph) == rewritten.written.definition.text)
  }

  @Test func `results that Silence swallows stay the results`() throws {
    let graph = try graph(
      """
      input: "x" input_shape { dim: 1 dim: 2 }
      layer { name: "a" type: "ReLU" bottom: "x" top: "y" }
      layer { name: "s" type: "Silence" bottom: "y" }
      """)
    #expect(try wiring(graph) == ["a: x > y", "s: y > "])
    let rewritten = try Rewritten(graph)
    #expect(rewritten.graph.outputs.map { rewritten.graph[$0].name } == ["y"])
  }

  @Test func `fused layers of SkimCaffe become several with names of their own`() throws {
    let graph = try graph(
      """
      input: "x" input_shape { dim: 1 dim: 2 dim: 5 dim: 5 }
      layer {
        name: "c" type: "ConvolutionReLUPoolLRN" bottom: "x" top: "n"
        convolution_param { num_output: 3 kernel_size: 1 conv_mode: DIRECT_SCONV }
        pooling_param { kernel_size: 2 stride: 3 }
      }
      layer { name: "c_relu" type: "Dropout" bottom: "n" top: "n" }
      """)
    #expect(
      try wiring(graph) == [
        "c: x > n_2", "c_pooling: n_2 > n_3", "c_pooling_relu: n_3 > n_3", "c_lrn: n_3 > n",
        "c_relu: n > n",
      ])
    let rewritten = try Rewritten(graph.withVariedWeights())
    #expect(try text(rewritten.graph) == rewritten.written.definition.text)
  }

  // MARK: Constants

  @Test(arguments: [[3, 2, 2], [5], [], [1, 4]]) func `a constant is made of Caffe's layers`(
    _ extents: [Int]
  ) throws {
    for shape in [[1, 2, 3, 3], [1]] {
      var graph = Graph(name: "constant")
      let x = graph.addInput(name: "x", shape: try Shape(shape))
      let values = try Tensor.random(extents, seed: 3)
      let node = try graph.append(
        .constant(Constant(extents: extents)), name: "conv1", inputs: [x], parameters: [values],
        outputNames: ["y"])
      graph.setOutputs(graph[node].outputs)
      try graph.settleBatch()
      let rewritten = try Rewritten(graph)
      #expect(rewritten.graph.batch == .perItem)
      #expect(rewritten.graph.order.map { rewritten.graph[$0].name }.last == "conv1")
      #expect(try text(rewritten.graph) == rewritten.written.definition.text)
      for number in [1, Float.infinity, .nan] {
        let input = Tensor(shape: try Shape(shape), repeating: number)
        try expectSameResults(graph, rewritten.graph, inputs: [x: input])
      }
      let results = try Evaluator(rewritten.graph, items: 2)
        .run(named: ["x": Tensor(shape: try Shape([2] + shape.dropFirst()), repeating: 1)])
      #expect(results.values.first?.values == values.values + values.values)
    }
  }

  // MARK: What Caffe cannot say

  private func expectRefusal(
    _ operation: Operation, _ parameters: [[Int]], _ words: String,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    var graph = Graph(name: "")
    let x = graph.addInput(name: "x", shape: try Shape([1, 2, 3, 3]))
    let tensors = try parameters.map { Tensor(shape: try Shape($0), repeating: 1) }
    let node = try graph.append(
      operation, name: "l", inputs: [x], parameters: tensors, outputNames: ["y"])
    graph.setOutputs(graph[node].outputs)
    let error = #expect(throws: NetWritingError.self, sourceLocation: sourceLocation) {
      try NetWriter.write(graph)
    }
    #expect(error?.layer == "l", sourceLocation: sourceLocation)
    #expect(error?.description.contains(words) == true, sourceLocation: sourceLocation)
  }

  @Test func `what Caffe does not have is refused`() throws {
    let classes = [[0, 1, 0], [0, 1, 0]]
    try expectRefusal(
      .borderBias(BorderBias(classes: classes)), [[2, 2, 2]], "depends on the place")
    try expectRefusal(
      .lrn(LRN(region: .acrossChannels, positions: [0, 2])), [[2]], "leave out channels")
    try expectRefusal(
      .convolution(
        Convolution(
          filters: 1, window: Window(kernel: [1, 1]), hasBias: false,
          activation: .relu(slope: 0))), [[1, 2, 1, 1]], "a ReLU was fused into it")
    try expectRefusal(
      .innerProduct(InnerProduct(outputs: 1, hasBias: false, activation: .tanh)), [[1, 18]],
      "a TanH was fused into it")
    try expectRefusal(.repack(Repack()), [], "one layout only")
    var pooling = Pooling(
      reduction: .average, window: Window(kernel: [2, 2]), startsAtZero: true)
    try expectRefusal(.pooling(pooling), [], "only the maximum itself")
    pooling.startsAtZero = false
    pooling.window.dilation = [2, 2]
    try expectRefusal(.pooling(pooling), [], "no dilation")
  }
}

/// What a written layer keeps of how it was trained.
struct NetWritingSettingsTests {
  @Test func `rates, Dropout and BatchNorm go on as they were`() throws {
    let text = """
      layer {
        name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 } }
        include { phase: TEST }
      }
      layer {
        name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        param { name: "w" lr_mult: 1 decay_mult: 0.5 breadth_decay_mult: 2 } param { lr_mult: 0 }
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
      }
      layer {
        name: "bn" type: "BatchNorm" bottom: "ip" top: "ip" param { } param { } param { }
        batch_norm_param { moving_average_fraction: 0.9 eps: 0.1 }
      }
      layer {
        name: "drop" type: "Dropout" bottom: "ip" top: "ip" dropout_param { dropout_ratio: 0.2 }
      }
      """
    let prototxt = try Prototxt.parse(text: text, file: "f")
    var options = NetReader.Options()
    options.weightsOptional = true
    let graph = try NetReader.read(prototxt, options: options).graph
    let settings = try TrainingSettings(prototxt)
    #expect(!settings.isForTesting)
    let written = try NetWriter.write(graph, settings: settings).definition
    let expected = try Prototxt.parse(
      text: """
        layer {
          name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 } }
        }
        layer {
          name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
          param { lr_mult: 1 decay_mult: 0.5 } param { lr_mult: 0 }
          inner_product_param { num_output: 2 }
        }
        layer {
          name: "bn" type: "BatchNorm" bottom: "ip" top: "ip"
          param { lr_mult: 0 decay_mult: 0 }
          param { lr_mult: 0 decay_mult: 0 }
          param { lr_mult: 0 decay_mult: 0 }
          batch_norm_param { eps: 0.1 moving_average_fraction: 0.9 }
        }
        layer {
          name: "drop" type: "Dropout" bottom: "ip" top: "ip" dropout_param { dropout_ratio: 0.2 }
        }
        """, file: "g")
    #expect(written.text == expected.message.text)
    // The settings of what was written are the same again.
    let again = try TrainingSettings(Prototxt.parse(text: written.text, file: "h"))
    #expect(again.isForTesting)
    #expect(try NetWriter.write(graph, settings: again).definition == written)
  }
}
