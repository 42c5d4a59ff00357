import IR
import TestSupport
import Testing

/// Random networks are sound until somebody breaks them, in every way that the editing functions allow.
struct VerifierTests {
  @Test(arguments: 0..<40)
  func `a node that reads what is made after it`(seed: UInt64) throws {
    var graph = try RandomNetwork(seed: seed).graph
    let early = try #require(graph.order.first { !graph[$0].inputs.isEmpty })
    let value = try #require(graph.liveValues.last)
    let name = graph[value].name
    graph.update(early) { $0.inputs[0] = value }
    expectFailure(of: graph, "\(graph[early].name) reads \(name) (%\(value.index)) before")
  }

  @Test(arguments: 0..<40)
  func `a node whose producer was removed`(seed: UInt64) throws {
    var graph = try RandomNetwork(seed: seed).graph
    let value = try #require(
      graph.order.lazy.compactMap { node in
        graph[node].outputs.first { !graph.consumers(of: $0).isEmpty }
      }.first)
    let node = try #require(graph.producer(of: value))
    graph.remove(node)
    expectFailure(of: graph, "before it is made")
  }

  @Test(arguments: 0..<40)
  func `parameters of another shape, or none`(seed: UInt64) throws {
    let graph = try RandomNetwork(seed: seed).graph
    for node in graph.order where !graph[node].parameters.isEmpty {
      var broken = graph
      broken.update(node) { $0.parameters.removeLast() }
      expectFailure(of: broken, "\(graph[node].name) has parameters")
      broken = graph
      broken.update(node) {
        $0.parameters[0] = Tensor(
          shape: .vector($0.parameters[0].count + 1), repeating: 0)
      }
      expectFailure(of: broken, "\(graph[node].name) has parameters")
    }
  }

  @Test(arguments: 0..<40)
  func `an output of another shape than the layer infers`(seed: UInt64) throws {
    let graph = try RandomNetwork(seed: seed).graph
    for node in graph.order where graph[node].outputs.count == 1 {
      var broken = graph
      let shape = try Shape(graph[graph[node].outputs[0]].shape.extents + [1])
      broken.update(node) {
        $0.operation = .parameter(ParameterBlob(shape: shape))
        $0.inputs = []
      }
      expectFailure(of: broken, "\(graph[node].name) has outputs")
    }
  }

  @Test(arguments: 0..<40)
  func `a layer with too few or too many inputs`(seed: UInt64) throws {
    let graph = try RandomNetwork(seed: seed).graph
    for node in graph.order where !graph[node].inputs.isEmpty {
      var broken = graph
      broken.update(node) { $0.inputs = [] }
      expectFailure(of: broken, "\(graph[node].name) has 0 inputs")
    }
  }

  @Test func `inputs that do not fit the layer`() throws {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 4]))
    let node = try graph.append(
      .elementwise(Elementwise(.tanh)), name: "layer", inputs: [data], outputNames: ["out"])
    graph.update(node) { $0.operation = .softmax(Softmax(axis: 5)) }
    expectFailure(of: graph, "layer: axis 5 of shape [1,4], which has 2 axes")
  }

  @Test func `a value that names another maker, an input that has one`() throws {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 4]))
    let tanh = IR.Operation.elementwise(Elementwise(.tanh))
    let first = try graph.append(tanh, name: "first", inputs: [data], outputNames: ["a"])
    let second = try graph.append(tanh, name: "second", inputs: [data], outputNames: ["b"])
    let (a, b) = (graph[first].outputs[0], graph[second].outputs[0])
    var broken = graph
    broken.adopt(a, asOutput: 0, of: second)
    expectFailure(of: broken, "first makes %\(a.index), which names another producer")
    broken = graph
    broken.adopt(b, asOutput: 0, of: first)
    expectFailure(of: broken, "second makes %\(b.index), which names another producer")
    broken = graph
    broken.adopt(data, asOutput: 0, of: first)
    expectFailure(of: broken, "input data has a producer")
  }

  @Test func `one node that makes a value twice`() throws {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 4]))
    let node = try graph.append(
      .split(Split(copies: 2)), name: "split", inputs: [data], outputNames: ["a", "b"])
    let first = graph[node].outputs[0]
    graph.adopt(first, asOutput: 1, of: node)
    expectFailure(of: graph, "%\(first.index) is made twice")
  }

  @Test(arguments: 0..<40)
  func `a result that nobody makes, an input that is no input`(seed: UInt64) throws {
    let graph = try RandomNetwork(seed: seed).graph
    var broken = graph
    broken.removeInput(graph.inputs[0])
    expectFailure(of: broken, "before it is made")
    broken = graph
    let output = try #require(
      graph.outputs.last { output in
        graph.producer(of: output).map { graph[$0].outputs == [output] } ?? false
      })
    let node = try #require(graph.producer(of: output))
    broken.remove(node)
    expectFailure(of: broken, "output \(graph[output].name) (%\(output.index)) is never made")
  }

  private func expectFailure(
    of graph: Graph, _ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    do {
      try graph.verify()
      Issue.record("nothing was found", sourceLocation: sourceLocation)
    } catch {
      let description = "\(error)"
      #expect(description.hasPrefix("graph \(graph.name): "), sourceLocation: sourceLocation)
      #expect(description.contains(text), sourceLocation: sourceLocation)
    }
  }
}
