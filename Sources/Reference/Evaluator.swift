import IR

/// Evaluates a graph layer by layer: plain nested loops, sums in double, outputs rounded to float.
///
/// It is the oracle of passes and kernels: meant to be obviously right, and fast enough for a real
/// net in an optimised build. Every multiplication is carried out, those by zero weights too, so
/// that infinities and NaNs spread as they do in Caffe.
public struct Evaluator: Sendable {
  /// The graph that is evaluated.
  public let graph: Graph
  /// How many threads share the filters of a convolution or the rows of a matrix; no result depends
  /// on it.
  public let threads: Int

  /// An evaluator of the graph as it is.
  public init(_ graph: Graph, threads: Int = 1) {
    precondition(threads >= 1, "an evaluator has a thread")
    self.graph = graph
    self.threads = threads
  }

  /// An evaluator of `items` items at once of a graph whose shapes are those of one item.
  ///
  /// - Precondition: the graph is evaluated per item. Throws if the shapes become too large.
  public init(_ graph: Graph, items: Int, threads: Int = 1) throws(ShapeError) {
    precondition(graph.batch == .perItem, "only a graph per item takes several items")
    var batched = graph
    var shapes: [ValueID: Shape] = [:]
    for input in graph.inputs {
      shapes[input] = try graph[input].shape.replacing(axis: 0, with: items)
    }
    try batched.reshapeInputs(shapes)
    self.init(batched, threads: threads)
  }

  /// Evaluates the graph, and returns its outputs, or all its values if `keepsAll`.
  ///
  /// `observe` sees every value, inputs included, as soon as it is there. A value is freed behind
  /// its last reader. Throws if an input is missing or has another shape, or if a layer cannot use
  /// what it was given.
  public func run(
    inputs: [ValueID: Tensor], keepsAll: Bool = false,
    observe: (ValueID, Tensor) -> Void = { _, _ in }
  ) throws(EvaluationError) -> [ValueID: Tensor] {
    var values = try checked(inputs)
    for input in graph.inputs {
      if let value = values[input] { observe(input, value) }
    }
    let lastReaders = keepsAll ? [:] : lastReaders()
    for id in graph.order {
      let results = try evaluate(id, values)
      for (output, result) in zip(graph[id].outputs, results) {
        values[output] = result
        observe(output, result)
      }
      for value in lastReaders[id] ?? [] { values[value] = nil }
    }
    if keepsAll { return values }
    return values.filter { graph.isOutput($0.key) }
  }

  /// As `run(inputs:)`, with inputs by blob name.
  public func run(
    named inputs: [String: Tensor], keepsAll: Bool = false,
    observe: (ValueID, Tensor) -> Void = { _, _ in }
  ) throws(EvaluationError) -> [ValueID: Tensor] {
    var byID: [ValueID: Tensor] = [:]
    for id in graph.inputs { byID[id] = inputs[graph[id].name] }
    return try run(inputs: byID, keepsAll: keepsAll, observe: observe)
  }

  private func checked(_ inputs: [ValueID: Tensor]) throws(EvaluationError) -> [ValueID: Tensor] {
    var values: [ValueID: Tensor] = [:]
    for id in graph.inputs {
      let expected = graph[id]
      guard let given = inputs[id] else {
        throw EvaluationError("input \(expected.name) is missing")
      }
      guard given.shape == expected.shape else {
        throw EvaluationError(
          "input \(expected.name) has shape \(given.shape); the net takes \(expected.shape)")
      }
      values[id] = given
    }
    return values
  }

  private func evaluate(_ id: NodeID, _ values: [ValueID: Tensor]) throws(EvaluationError)
    -> [Tensor]
  {
    let inputs = graph[id].inputs.map { input in
      guard let value = values[input] else { preconditionFailure("a value is made before its use") }
      return value
    }
    return try evaluate(id, inputs: inputs)
  }

  /// The outputs of one layer, from inputs of the shapes that the graph gives them.
  public func evaluate(_ id: NodeID, inputs: [Tensor]) throws(EvaluationError) -> [Tensor] {
    let node = graph[id]
    let call = LayerCall(
      layerName: node.name, inputs: inputs, parameters: node.parameters,
      outputShapes: graph.outputShapes(of: id), threads: threads)
    let results = try node.operation.evaluate(call)
    precondition(results.map(\.shape) == call.outputShapes, "a layer keeps to its shape rule")
    return results
  }

  /// For every node the values that nobody needs behind it.
  private func lastReaders() -> [NodeID: [ValueID]] {
    var last: [ValueID: NodeID] = [:]
    for id in graph.order {
      for value in graph[id].outputs + graph[id].inputs { last[value] = id }
    }
    for output in graph.outputs { last[output] = nil }
    return Dictionary(grouping: last.keys) { value in
      guard let node = last[value] else { preconditionFailure("the key was just there") }
      return node
    }
  }
}
