import Codegen
import GoldenSupport
import IR
import Reference
import TestSupport
import Testing

/// Convolutions that add to what is in their output's place, with every kernel that can.
struct AddingConvolutionTests {
  private static let kernels = [
    "convolution_columns", "convolution_dense", "convolution_packed", "convolution_sparse",
    "convolution_hardcoded", "convolution_winograd",
  ]

  /// A convolution of the image, another one that adds to it, and a third that adds to that; each of them with
  /// the kernel in question where it can have it. All sums are of integers, and all but Winograd's exact.
  @Test(arguments: kernels, 0..<5)
  func `sums go on from what is there`(kernel: String, seed: Int) throws {
    var random = TestSupport.SeededGenerator(seed: UInt64(seed))
    let network = try Network(seed: seed, &random)
    let engine = CompiledEngine(
      architecture: seed % 3 == 2 && kernel != "convolution_hardcoded" ? "x86-64" : "native",
      disablesPasses: true, preferredKernels: [kernel], threads: 1 + seed % 3)
    let shape = network.graph[network.graph.inputs[0]].shape
    let items = shape[0] > 1 ? shape[0] : 1 + seed % 2
    let inputs = [
      "data": Tensor.random(
        try shape.replacing(axis: 0, with: items), .integers(limit: 3), &random)
    ]
    let expected = try referenceEngine(network.graph, inputs)
    let compiled = try engine(network.graph, inputs)
    let tolerance = kernel == "convolution_winograd" ? 1e-3 : 0
    for (key, tensor) in expected.layers {
      let error = BlobError(of: try #require(compiled.layers[key]), against: tensor)
      #expect(
        error.absolute <= tolerance * max(error.scale, 1), "\(key): \(error)\n\(network.graph)")
    }
  }

  /// Its own kernel is the fastest, but does not add.
  @Test func `a sum behind a convolution of each channel by itself is not lost`() throws {
    var random = TestSupport.SeededGenerator(seed: 3)
    var graph = Graph(name: "net")
    let shape = try Shape([1, 8, 30, 30])
    let data = graph.addInput(name: "data", shape: shape)
    func convolve(_ name: String, _ inputs: [ValueID]) throws -> ValueID {
      let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
      let node = try graph.append(
        .convolution(
          Convolution(
            filters: 8, window: window, groups: 8, hasBias: false,
            addsToInput: inputs.count == 2)),
        name: name, inputs: inputs,
        parameters: [.random(try Shape([8, 1, 3, 3]), .integers(limit: 3), &random)],
        outputNames: [name])
      return graph[node].outputs[0]
    }
    let first = try convolve("first", [data])
    let last = try convolve("last", [data, first])
    graph.setOutputs([last])
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    let candidates = KernelCatalog(target: target).candidates(for: graph.order[1], in: graph)
    #expect(
      candidates.first { $0.kernel == "convolution_depthwise" }?.fit
        == .declines(because: "it adds to no other value"))
    let inputs = ["data": Tensor.random(shape, .integers(limit: 3), &random)]
    let expected = try referenceEngine(graph, inputs)
    for preferred in [[], ["convolution_sparse"], ["convolution_columns"]] {
      let engine = CompiledEngine(
        disablesPasses: true, preferredKernels: preferred, threads: 2)
      #expect(try engine(graph, inputs).final == expected.final, "\(preferred)")
    }
  }

  @Test func `every kernel for images adds, and the one for all axes says that it does not`() throws
  {
    var random = TestSupport.SeededGenerator(seed: 1)
    let graph = try Network(seed: 1, &random).graph
    let target = Target(architecture: "x86-64-v3", lanes: 8)
    let adding = graph.order.filter { graph[$0].inputs.count == 2 }
    #expect(adding.count == 2)
    for id in adding {
      for candidate in KernelCatalog(target: target).candidates(for: id, in: graph) {
        if candidate.kernel == "convolution_windows" {
          #expect(candidate.fit == .declines(because: "it adds to no other value"))
        } else if candidate.cost != nil {
          #expect(candidate.inputs.last == .sameAsOutput, "\(candidate.kernel)")
        }
      }
    }
  }
}

/// Convolutions of one shape that add up.
private struct Network {
  var graph = Graph(name: "sums")

  init(seed: Int, _ random: inout TestSupport.SeededGenerator) throws {
    let items = seed % 4 == 3 ? 2 : 1
    let extents = [
      items, 2 * random.integer(1...3), random.integer(12...27), random.integer(12...27),
    ]
    let data = graph.addInput(name: "data", shape: try Shape(extents))
    let groups = random.pick([1, 1, 2])
    let filters = 2 * random.integer(1...9)
    let kernel = random.pick([1, 3, 3, 5])
    let stride = kernel == 3 && random.chance(0.3) ? 2 : 1
    // One pixel reads no border: then rows may lie as far apart as the reader's like.
    let window = Window(
      kernel: [kernel, kernel], stride: [stride, stride],
      pad: [kernel / 2, random.integer(0...kernel / 2)], dilation: [1, 1])
    let trunk = try convolve(window, filters, 1, [data], &random)
    var results: [ValueID] = []
    // What runs behind all convolutions cannot read what these have written over.
    if random.chance(0.5) { results = [try score(try add(.flatten(Flatten()), "view", [trunk]))] }
    let image = try add(.elementwise(Elementwise(.absoluteValue)), "image", [data])
    let sum = try convolve(window, filters, groups, [image, trunk], &random)
    // Signs keep the numbers small.
    let sign = try add(
      .elementwise(Elementwise(.clip(low: -1, high: 1))), "sign", [sum])
    let inner = random.pick([1, 3])
    let same = Window(
      kernel: [inner, inner], stride: [1, 1], pad: [inner / 2, inner / 2], dilation: [1, 1])
    let last = try convolve(same, filters, groups, [sign, sum], &random)
    // A reader without a halo lets values be dense.
    let end = random.chance(0.5) ? last : try add(.flatten(Flatten()), "flat", [last])
    graph.setOutputs(results + [end])
    if items == 1 { try graph.settleBatch() }
  }

  private mutating func convolve(
    _ window: Window, _ filters: Int, _ groups: Int, _ inputs: [ValueID],
    _ random: inout TestSupport.SeededGenerator
  ) throws -> ValueID {
    let layer = Convolution(
      filters: filters, window: window, groups: groups, hasBias: random.chance(0.7),
      activation: random.pick([nil, .relu(slope: 0), .relu(slope: 2)]),
      addsToInput: inputs.count == 2)
    let density = random.pick([0.1, 0.4, 1])
    var values = try layer.parameters(for: inputs.map { graph[$0].shape }).map { slot in
      (
        slot.shape,
        (0..<slot.shape.count).map { _ in
          random.chance(density) ? Float(random.pick([-2, -1, 1, 2])) : 0
        }
      )
    }
    // A filter without weights has but its bias to add.
    let dead = random.integer(0...filters - 1)
    let size = values[0].0.count(from: 1)
    for index in dead * size..<(dead + 1) * size { values[0].1[index] = 0 }
    return try add(
      .convolution(layer), "convolution\(graph.order.count)", inputs,
      values.map { Tensor(shape: $0, values: $1) })
  }

  private mutating func score(_ value: ValueID) throws -> ValueID {
    let layer = InnerProduct(outputs: 2, hasBias: false)
    let slots = try layer.parameters(for: [graph[value].shape])
    return try add(
      .innerProduct(layer), "score", [value],
      slots.map { Tensor(shape: $0.shape, repeating: 1) })
  }

  private mutating func add(
    _ operation: Operation, _ name: String, _ inputs: [ValueID], _ parameters: [Tensor] = []
  ) throws -> ValueID {
    let node = try graph.append(
      operation, name: name, inputs: inputs, parameters: parameters, outputNames: [name])
    return graph[node].outputs[0]
  }
}
