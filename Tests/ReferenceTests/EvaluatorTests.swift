import IR
import Reference
import TestSupport
import Testing

@Suite struct EvaluatorTests {
  static func chain() throws -> (graph: Graph, input: ValueID, values: [ValueID]) {
    var graph = Graph(name: "chain")
    let input = graph.addInput(name: "data", shape: try Shape([1, 2]))
    var values: [ValueID] = []
    for step in 0..<3 {
      let node = try graph.append(
        .elementwise(Elementwise(.power(power: 1, scale: 2, shift: 1))), name: "step\(step)",
        inputs: [values.last ?? input], outputNames: ["value\(step)"])
      values += graph[node].outputs
    }
    graph.setOutputs([values[1], values[2]])
    return (graph, input, values)
  }

  @Test func `returns outputs, or all values, and shows each as it is made`() throws {
    let (graph, input, values) = try Self.chain()
    let data = try tensor([1, 2], [0, 1])
    var seen: [ValueID] = []
    let outputs = try Evaluator(graph).run(named: ["data": data]) { value, _ in seen.append(value) }
    #expect(seen == [input] + values)
    #expect(Set(outputs.keys) == [values[1], values[2]])
    #expect(outputs[values[1]]?.values == [3, 7])
    let all = try Evaluator(graph).run(inputs: [input: data], keepsAll: true)
    #expect(Set(all.keys) == Set([input] + values))
    #expect(all[values[2]] == outputs[values[2]])
  }

  @Test func `says which input is missing or misshapen`() throws {
    let (graph, input, _) = try Self.chain()
    #expect {
      try Evaluator(graph).run(inputs: [:])
    } throws: { "\($0)" == "input data is missing" }
    #expect {
      try Evaluator(graph).run(inputs: [input: tensor([2, 2], [0, 1, 2, 3])])
    } throws: { "\($0)" == "input data has shape [2,2]; the net takes [1,2]" }
  }

  @Test func `several items at once are the items one by one`() throws {
    var tried = 0
    for seed in 0..<60 as Range<UInt64> {
      var options = RandomNetwork.Options()
      options.hasSteps = true
      let network = try RandomNetwork(seed: seed, options: options)
      guard network.graph.batch == .perItem else { continue }
      tried += 1
      let items = 3
      let inputs = try network.inputs(seed: seed, items: items)
      let together = try Evaluator(network.graph, items: items).run(inputs: inputs)
      for item in 0..<items {
        let alone = try Evaluator(network.graph).run(
          inputs: Dictionary(
            uniqueKeysWithValues: network.graph.inputs.map { input in
              (input, Self.item(item, of: inputs[input], like: network.graph[input].shape))
            }))
        for (value, tensor) in alone {
          // A value that no item has a part in is there once.
          let whole = try #require(together[value])
          guard whole.shape != tensor.shape else { continue }
          #expect(Self.item(item, of: whole, like: tensor.shape) == tensor, "seed \(seed)")
        }
      }
    }
    #expect(tried >= 30)
  }

  private static func item(_ item: Int, of tensor: Tensor?, like shape: Shape) -> Tensor {
    let values = tensor?.values[item * shape.count..<(item + 1) * shape.count] ?? []
    return Tensor(shape: shape, values: Array(values))
  }

  @Test func `threads change nothing`() throws {
    for seed in 0..<20 as Range<UInt64> {
      let network = try RandomNetwork(seed: seed)
      let inputs = try network.inputs(seed: seed)
      let alone = try Evaluator(network.graph).run(inputs: inputs)
      #expect(try Evaluator(network.graph, threads: 3).run(inputs: inputs) == alone)
    }
  }
}
