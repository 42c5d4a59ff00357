import Codegen
import Foundation
import IR
import TestSupport
import Testing

struct EmissionTests {
  @Test(arguments: 0..<60)
  func `the same graph becomes the same bytes`(seed: Int) throws {
    let (first, second) = (try emit(seed), try emit(seed))
    #expect(first.source == second.source)
    #expect(first.weights == second.weights)
    #expect(first.headers == second.headers)
    #expect(first.steps == second.steps)
    #expect(first.arenaFloats == second.arenaFloats)
  }

  @Test(arguments: 0..<60)
  func `every step has a function of its own, and every header is there`(seed: Int) throws {
    let model = try emit(seed)
    let text = String(decoding: model.source.bytes, as: UTF8.self)
    #expect(Set(model.steps.map(\.function)).count == model.steps.count)
    for step in model.steps {
      let items = step.takesItems ? "int items, " : ""
      let head = "static void \(step.function)(float *arena, \(items)int part, int parts) {"
      #expect(text.ranges(of: head).count == 1)
    }
    let headers = Set(model.headers.map(\.name))
    for include in text.matches(of: #/#include "([^"]+)"/#) {
      #expect(headers.contains(String(include.1)), "\(include.1)")
    }
    #expect(text.utf8.allSatisfy { $0 == 0x0a || (0x20..<0x7f).contains($0) })
  }

  @Test func `layers whose names differ only in signs get functions of their own`() throws {
    var graph = Graph(name: "net")
    var last = graph.addInput(name: "data", shape: try Shape([1, 4]))
    for name in ["a/b", "a-b", "a_b_2", "a*/b"] {
      let node = try graph.append(
        .softmax(Softmax()), name: name, inputs: [last], outputNames: [name])
      last = graph[node].outputs[0]
    }
    graph.setOutputs([last])
    try graph.settleBatch()
    let target = Target(architecture: "test", lanes: 8)
    let lowered = try LoweredNetwork.lower(graph, for: target)
    let model = ModelEmitter(lowered: lowered, target: target, maximumBatch: 1).emit()
    #expect(
      model.steps.map(\.function)
        == ["layer_a_b", "layer_a_b_2", "layer_a_b_2_2", "layer_a__b"])
  }

  @Test func `a network of three layers as C`() throws {
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    let lowered = try LoweredNetwork.lower(try threeLayers(), for: target)
    let model = ModelEmitter(lowered: lowered, target: target, maximumBatch: 4).emit()
    try expect(String(decoding: model.source.bytes, as: UTF8.self), golden: "three_layers.c")
  }

  @Test func `what structure passes leave as C`() throws {
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    let lowered = try LoweredNetwork.lower(
      try structureLayers(), for: target, passes: false,
      forced: ["compact": "convolution_columns"])
    let model = ModelEmitter(lowered: lowered, target: target, maximumBatch: 1).emit()
    let text = String(decoding: model.source.bytes, as: UTF8.self)
    let start = try #require(text.firstRange(of: "/* bordered:")).lowerBound
    let end = try #require(text.firstRange(of: "static const int64_t shape_0")).lowerBound
    try expect(String(text[start..<end]), golden: "structure_layers.c")
  }

  /// Compares text with a file, to look at and to notice when it changes. With SPARSEC_RECORD in the environment
  /// the file is written anew, and the test fails.
  private func expect(_ text: String, golden name: String) throws {
    let golden = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Goldens/\(name)")
    if ProcessInfo.processInfo.environment["SPARSEC_RECORD"] != nil {
      try Data(text.utf8).write(to: golden)
      Issue.record("the golden was recorded; read it, and run again without SPARSEC_RECORD")
      return
    }
    let expected = try String(contentsOf: golden, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, (line, wanted)) in zip(lines, expected).enumerated() where line != wanted {
      Issue.record("line \(number + 1) is\n\(line)\ninstead of\n\(wanted)")
      break
    }
    #expect(lines.count == expected.count)
  }

  private func emit(_ seed: Int) throws -> EmittedModel {
    let network = try LoweredNetwork(seed: seed)
    return ModelEmitter(lowered: network.lowered, target: network.target, maximumBatch: 2).emit()
  }

  /// A convolution with ReLU, half of its weights zero; a pooling; an inner product.
  private func threeLayers() throws -> Graph {
    var graph = Graph(name: "three layers")
    let data = graph.addInput(name: "data", shape: try Shape([1, 2, 6, 6]))
    let weights = (0..<72).map { $0 % 2 == 0 ? Float($0) / 8 : 0 }
    let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    let convolution = try graph.append(
      .convolution(Convolution(filters: 4, window: window)), name: "conv1", inputs: [data],
      parameters: [
        Tensor(shape: try Shape([4, 2, 3, 3]), values: weights),
        Tensor(shape: .vector(4), values: [0.5, 0, -0.5, 1]),
      ], outputNames: ["conv1"])
    let relu = try graph.append(
      .elementwise(Elementwise(.relu(slope: 0))), name: "relu1",
      inputs: graph[convolution].outputs, outputNames: ["conv1"])
    let half = Window(kernel: [2, 2], stride: [2, 2], pad: [0, 0], dilation: [1, 1])
    let pooling = try graph.append(
      .pooling(Pooling(reduction: .max, window: half)), name: "pool1",
      inputs: graph[relu].outputs, outputNames: ["pool1"])
    let product = try graph.append(
      .innerProduct(InnerProduct(outputs: 3, hasBias: false)), name: "score",
      inputs: graph[pooling].outputs,
      parameters: [
        Tensor(shape: try Shape([3, 36]), values: (0..<108).map { Float($0 % 5) - 2 })
      ], outputNames: ["score"])
    graph.setOutputs(graph[product].outputs)
    try graph.settleBatch()
    return graph
  }

  /// A convolution of two groups with zero filters and columns, behind it a border bias; a normalisation with
  /// removed channels; a constant for a layer that pads.
  private func structureLayers() throws -> Graph {
    var graph = Graph(name: "structure layers")
    let data = graph.addInput(name: "data", shape: try Shape([1, 4, 5, 6]))
    let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    func append(
      _ operation: IR.Operation, _ name: String, _ inputs: [ValueID], _ values: [[Float]]
    ) throws -> ValueID {
      let slots = try operation.layer.parameters(for: inputs.map { graph[$0].shape })
      let node = try graph.append(
        operation, name: name, inputs: inputs,
        parameters: zip(slots, values).map { Tensor(shape: $0.shape, values: $1) },
        outputNames: [name])
      return graph[node].outputs[0]
    }
    let positive = try append(
      .elementwise(Elementwise(.absoluteValue)), "positive", [data], [])
    let bordered = try append(
      .borderBias(BorderBias(classes: [[0, 1, 1, 1, 2], [0, 1, 1, 1, 1, 2]])), "bordered",
      [positive], [(0..<36).map { (i: Int) -> Float in i % 9 == 4 ? 0 : Float(i) / 4 }])
    // Filter 1 is zero, and the columns of taps 2 to 8 of the second group.
    let weights = (0..<72).map { (index: Int) -> Float in
      let isZero = index / 18 == 1 || (index >= 36 && index % 9 > 1)
      return isZero ? 0 : Float(index % 7 + 1)
    }
    let convolved = try append(
      .convolution(Convolution(filters: 4, window: window, groups: 2)), "compact", [bordered],
      [weights, [1, 2, 3, 4]])
    let normalised = try append(
      .lrn(LRN(size: 3, region: .acrossChannels, positions: [0, 1, 3, 7])), "normalised",
      [convolved], [[0, 0.25, 1, 0]])
    let constant = try append(
      .constant(Constant(extents: [4, 5, 6])), "constant", [data],
      [(0..<120).map { Float($0 % 10) }])
    let sum = try append(
      .eltwise(Eltwise(.sum(coefficients: [1, 1]))), "sum", [normalised, constant], [])
    let last = try append(
      .convolution(Convolution(filters: 1, window: window, hasBias: false)), "last", [sum],
      [(0..<36).map { Float($0 % 3) + 1 }])
    graph.setOutputs([last])
    try graph.settleBatch()
    return graph
  }
}
