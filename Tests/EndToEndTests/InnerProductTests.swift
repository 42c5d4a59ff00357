import Codegen
import GoldenSupport
import IR
import Reference
import TestSupport
import Testing

@testable import Driver

/// Inner products by every kernel, alone and in chains: on integers they agree with the evaluator exactly.
struct InnerProductTests {
  private static let kernels = [
    "inner_product_columns", "inner_product_dense", "inner_product_sparse",
  ]

  /// Batches of 1 to 17 on one to three threads; behind a convolution or at the network's input.
  @Test(arguments: 0..<18)
  func `inner products compute what the evaluator computes`(seed: Int) throws {
    var random = TestSupport.SeededGenerator(seed: UInt64(seed))
    let net = try Net(&random)
    let engine = CompiledEngine(
      disablesPasses: true, preferredKernels: [Self.kernels[seed % 3]], threads: 1 + seed / 3 % 3)
    let inputs = try net.inputs(items: [1, 2, 3, 5, 16, 17][seed % 6], &random)
    let expected = try referenceEngine(net.graph, inputs)
    let compiled = try engine(net.graph, inputs)
    for (key, tensor) in expected.layers {
      let result = try #require(compiled.layers[key])
      #expect(result.values == tensor.values, "\(key)\n\(net.graph)")
    }
  }

  /// The same network at other batches gives an item the same result, bit by bit.
  @Test(arguments: Self.kernels)
  func `an item's result does not depend on its batch`(kernel: String) throws {
    var random = TestSupport.SeededGenerator(seed: 7)
    let net = try Net(&random, fractions: true)
    let engine = CompiledEngine(disablesPasses: true, preferredKernels: [kernel], threads: 2)
    let items = 16
    let all = try net.inputs(items: items, &random)
    let data = try #require(all["data"])
    let together = try engine(net.graph, all)
    for item in [0, 7, 15] {
      let alone = try engine(net.graph, ["data": data.selecting([item], along: 0)])
      for (key, tensor) in alone.layers {
        let batch = try #require(together.layers[key])
        #expect(batch.selecting([item], along: 0).values == tensor.values, "\(key)")
      }
    }
  }
}

/// A chain of inner products with a fork and a join, behind a convolution or not.
private struct Net {
  var graph = Graph(name: "inner-products")
  private var current: ValueID
  private let data: ValueID
  private let fractions: Bool

  init(_ random: inout TestSupport.SeededGenerator, fractions: Bool = false) throws {
    self.fractions = fractions
    let extents = [1, random.integer(1...5), random.integer(3...9), random.integer(3...9)]
    data = graph.addInput(name: "data", shape: try Shape(extents))
    current = data
    graph.setOutputs([data])
    if random.chance(0.6) {
      let layer = Convolution(
        filters: random.integer(1...9), window: Window(kernel: [3, 3]),
        activation: random.pick([nil, .relu(slope: 0)]))
      try append(.convolution(layer), layer.parameters(for: [graph[current].shape]), &random)
    }
    if random.chance(0.5) { try append(.flatten(Flatten()), [], &random) }
    try append(
      InnerProduct(
        outputs: random.integer(1...300), hasBias: random.chance(0.5),
        isTransposed: random.chance(0.4), activation: random.pick([nil, .relu(slope: 0)])), &random)
    let first = current
    try append(
      InnerProduct(
        outputs: random.integer(1...40), isTransposed: random.chance(0.4),
        activation: random.pick([nil, .relu(slope: 2)])), &random)
    let left = current
    current = first
    try append(.elementwise(Elementwise(.relu(slope: 0))), [], &random)
    try append(InnerProduct(outputs: graph[left].shape[1], hasBias: false), &random)
    let join = try graph.append(
      .eltwise(Eltwise(.sum(coefficients: [1, 1]))), name: "join", inputs: [left, current],
      outputNames: ["join"])
    try finish(join)
    try append(InnerProduct(outputs: random.pick([1, 15, 16, 17, 64])), &random)
  }

  private mutating func append(
    _ layer: InnerProduct, _ random: inout TestSupport.SeededGenerator
  ) throws {
    try append(.innerProduct(layer), layer.parameters(for: [graph[current].shape]), &random)
  }

  private mutating func append(
    _ operation: IR.Operation, _ slots: [ParameterSlot],
    _ random: inout TestSupport.SeededGenerator
  ) throws {
    let density = random.pick([0.1, 0.5, 1])
    let parameters = slots.map { slot in
      Tensor(
        shape: slot.shape,
        values: (0..<slot.shape.count).map { _ in
          guard random.chance(density) else { return 0 }
          return fractions ? Float(random.integer(-97...97)) / 97 : Float(random.pick([-1, 1]))
        })
    }
    let name = "\(operation.layer.typeName)\(graph.order.count)"
    try finish(
      graph.append(
        operation, name: name, inputs: [current], parameters: parameters, outputNames: [name]))
  }

  func inputs(items: Int, _ random: inout TestSupport.SeededGenerator) throws -> [String: Tensor] {
    let shape = try graph[data].shape.replacing(axis: 0, with: items)
    let values = (0..<shape.count).map { _ in
      fractions ? Float(random.integer(-97...97)) / 97 : Float(random.integer(-1...1))
    }
    return ["data": Tensor(shape: shape, values: values)]
  }

  private mutating func finish(_ node: NodeID) throws {
    current = graph[node].outputs[0]
    graph.setOutputs([current])
    try graph.settleBatch()
  }
}
