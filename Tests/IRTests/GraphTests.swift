import Testing

@testable import IR

/// The functions that passes edit graphs by, on a chain of three layers.
struct GraphTests {
  /// data -> relu -> tanh -> sigmoid, and every value's name is that of its layer.
  private struct Chain {
    var graph = Graph(name: "chain")
    let data: ValueID
    let nodes: [NodeID]
    /// The output of each node.
    let values: [ValueID]

    init() throws {
      data = graph.addInput(name: "data", shape: try Shape([2, 3]))
      var nodes: [NodeID] = []
      var last = data
      for function in [ElementwiseFunction.relu(slope: 0), .tanh, .sigmoid] {
        let name = function.typeName
        let node = try graph.append(
          .elementwise(Elementwise(function)), name: name, inputs: [last], outputNames: [name])
        nodes.append(node)
        last = graph[node].outputs[0]
      }
      self.nodes = nodes
      values = Array(graph.liveValues.dropFirst())
      graph.setOutputs([last])
      try graph.verify()
    }
  }

  @Test func `append makes values that know their layer`() throws {
    let chain = try Chain()
    let graph = chain.graph
    #expect(graph.order == chain.nodes)
    #expect(graph.liveValues == [chain.data] + chain.values)
    #expect(graph.producer(of: chain.data) == nil)
    #expect(graph.producer(of: chain.values[1]) == chain.nodes[1])
    #expect(graph.consumers(of: chain.values[1]) == [chain.nodes[2]])
    #expect(graph[chain.values[1]] == Value(name: "TanH", layer: "TanH", shape: try Shape([2, 3])))
    #expect(graph[chain.nodes[1]].sourceType == "TanH")
    #expect(graph.isOutput(chain.values[2]) && !graph.isOutput(chain.values[0]))
  }

  @Test func `append says what does not fit, and changes nothing`() throws {
    var graph = try Chain().graph
    let before = graph
    let data = graph.inputs[0]
    func refusal(
      _ operation: IR.Operation, _ inputs: [ValueID], _ shapes: [Shape], _ names: [String]
    )
      -> ShapeError?
    {
      do {
        try graph.append(
          operation, name: "new", inputs: inputs,
          parameters: shapes.map { Tensor(shape: $0, repeating: 0) }, outputNames: names)
        return nil
      } catch {
        return error
      }
    }
    let product = IR.Operation.innerProduct(InnerProduct(outputs: 4))
    let weights = try Shape([4, 3])
    #expect(
      refusal(product, [data, data], [], ["a"])
        == ShapeError("2 inputs; InnerProduct takes 1"))
    #expect(
      refusal(.scale(Scale()), [], [], ["a"]) == ShapeError("0 inputs; Scale takes 1 to 2"))
    #expect(
      refusal(product, [data], [weights], ["a"]) == ShapeError("1 parameters instead of 2"))
    #expect(
      refusal(product, [data], [weights, .vector(3)], ["a"])
        == ShapeError("bias of shape [3] instead of [4]"))
    #expect(
      refusal(product, [data], [weights, .vector(4)], ["a", "b"])
        == ShapeError("2 outputs instead of 1"))
    #expect(graph == before)
  }

  @Test func `insert puts an internal node before another`() throws {
    var chain = try Chain()
    let copy = try chain.graph.insert(
      before: chain.nodes[1], .repack(Repack()), name: "copy", inputs: [chain.values[0]],
      outputNames: ["copy"])
    #expect(chain.graph.order == [chain.nodes[0], copy, chain.nodes[1], chain.nodes[2]])
    #expect(chain.graph[chain.graph[copy].outputs[0]].isInternal)
    #expect(!chain.graph[chain.values[0]].isInternal)
    try chain.graph.verify()
  }

  @Test func `replaced uses are those of readers and of results`() throws {
    var chain = try Chain()
    chain.graph.replaceUses(of: chain.values[0], with: chain.data)
    #expect(chain.graph[chain.nodes[1]].inputs == [chain.data])
    #expect(chain.graph.consumers(of: chain.values[0]) == [])
    chain.graph.replaceUses(of: chain.values[2], with: chain.values[1])
    #expect(chain.graph.outputs == [chain.values[1]])
    try chain.graph.verify()
  }

  @Test func `an adopted value keeps its identity`() throws {
    var chain = try Chain()
    let (relu, tanh) = (chain.values[0], chain.values[1])
    chain.graph.adopt(tanh, asOutput: 0, of: chain.nodes[0])
    chain.graph.remove(chain.nodes[1])
    #expect(chain.graph[chain.nodes[0]].outputs == [tanh])
    #expect(chain.graph.producer(of: tanh) == chain.nodes[0])
    #expect(chain.graph.producer(of: relu) == nil)
    #expect(chain.graph[tanh].name == "TanH")
    #expect(chain.graph.order == [chain.nodes[0], chain.nodes[2]])
    try chain.graph.verify()
  }

  @Test func `a removed node is gone, and its identity is not given again`() throws {
    var chain = try Chain()
    let (node, value) = (chain.nodes[2], chain.values[2])
    chain.graph.setOutputs([chain.values[1]])
    chain.graph.remove(node)
    #expect(chain.graph.producer(of: value) == nil)
    #expect(!chain.graph.liveValues.contains(value))
    let next = try chain.graph.append(
      .elementwise(Elementwise(.tanh)), name: "next", inputs: [chain.values[1]],
      outputNames: ["next"])
    #expect(next != node && chain.graph[next].outputs[0] != value)
    try chain.graph.verify()
  }

  @Test func `a copy of a graph changes alone`() throws {
    let chain = try Chain()
    var copy = chain.graph
    copy.update(chain.nodes[0]) { $0.operation = .elementwise(Elementwise(.tanh)) }
    copy.rename(chain.values[0], name: "other", layer: "layer")
    #expect(chain.graph[chain.values[0]].name == "ReLU")
    #expect(chain.graph[chain.nodes[0]].operation == .elementwise(Elementwise(.relu(slope: 0))))
    #expect(copy != chain.graph)
  }

  @Test func `a node that reads a value twice is one consumer`() throws {
    var chain = try Chain()
    let value = chain.values[2]
    let node = try chain.graph.append(
      .eltwise(Eltwise(.product)), name: "square", inputs: [value, value],
      outputNames: ["square"])
    #expect(chain.graph.consumers(of: value) == [node])
    let table = chain.graph.consumerTable()
    for value in chain.graph.liveValues {
      #expect(table[value] ?? [] == chain.graph.consumers(of: value))
    }
  }

  @Test func `new input shapes reach every value, if parameters keep theirs`() throws {
    var chain = try Chain()
    let shape = try Shape([5, 7])
    try chain.graph.reshapeInputs([chain.data: shape])
    for value in chain.graph.liveValues { #expect(chain.graph[value].shape == shape) }
    try chain.graph.append(
      .scale(Scale()), name: "scale", inputs: [chain.data],
      parameters: [Tensor(shape: .vector(7), repeating: 1)], outputNames: ["scale"])
    #expect(throws: ShapeError("layer scale would need other parameters")) {
      try chain.graph.reshapeInputs([chain.data: try Shape([5, 8])])
    }
  }
}
