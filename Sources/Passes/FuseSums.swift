import IR

/// Lets a convolution add its result to the value that an Eltwise would add to it: the end of a residual block.
///
/// The convolution goes on from what the other value holds, and writes over it; so that value must be dead
/// behind the sum, whose own activation the convolution takes over.
public struct FuseSums: Pass {
  public let name = "fuse-sums"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      guard case .eltwise(let layer) = graph[id].operation,
        case .sum(let coefficients) = layer.combination
      else { continue }
      let node = result.graph[id]
      let terms = Terms(node, coefficients, in: result.graph)
      switch terms.choice {
      case .failure(let obstacle):
        result.findings.append(Finding(node, .kept, obstacle.reason))
      case .success(let choice):
        fuse(id, layer, choice, into: &result.graph)
        let name = result.graph[choice.convolution].name
        result.findings.append(
          Finding(node, .fused(into: name), "its sums go on from the other addend"))
      }
    }
    return result
  }

  private func fuse(_ id: NodeID, _ sum: Eltwise, _ choice: Terms.Choice, into graph: inout Graph) {
    let node = graph[id]
    graph.update(choice.convolution) { target in
      guard case .convolution(var layer) = target.operation else { return }
      layer.addsToInput = true
      layer.activation = sum.activation
      target.operation = .convolution(layer)
      target.inputs.append(choice.addend)
      target.fused.append(FusedLayer(name: node.name, type: node.sourceType))
      target.fused += node.fused
    }
    graph.adopt(node.outputs[0], asOutput: 0, of: choice.convolution)
    graph.remove(id)
  }
}

/// What an Eltwise adds up.
private struct Terms {
  struct Choice {
    /// What takes in the sum.
    var convolution: NodeID
    /// What it adds to.
    var addend: ValueID
  }

  struct Obstacle: Error {
    var reason: String
  }

  private let node: Node
  private let coefficients: [Float]
  private let graph: Graph
  private let steps: [NodeID: Int]

  init(_ node: Node, _ coefficients: [Float], in graph: Graph) {
    self.node = node
    self.coefficients = coefficients
    self.graph = graph
    steps = Dictionary(uniqueKeysWithValues: graph.order.enumerated().map { ($1, $0) })
  }

  /// The convolution that runs last, or why there is none.
  var choice: Result<Choice, Obstacle> {
    guard node.inputs.count == 2, coefficients == [1, 1] else {
      return .failure(Obstacle(reason: "it is more than the plain sum of two values"))
    }
    guard node.inputs[0] != node.inputs[1] else {
      return .failure(Obstacle(reason: "it adds a value to itself"))
    }
    // What is made last can be added to the other.
    let ordered = node.inputs.sorted { step(making: $0) > step(making: $1) }
    guard let convolution = convolution(making: ordered[0]) else {
      return .failure(
        Obstacle(reason: "no convolution that could add makes the last of its inputs for it alone"))
    }
    if let obstacle = obstacle(to: convolution, overwriting: ordered[1]) {
      return .failure(Obstacle(reason: obstacle))
    }
    return .success(Choice(convolution: convolution, addend: ordered[1]))
  }

  /// The step that makes a value; -1 for the network's inputs.
  private func step(making value: ValueID) -> Int {
    graph.producer(of: value).flatMap { steps[$0] } ?? -1
  }

  private func convolution(making value: ValueID) -> NodeID? {
    guard let producer = graph.producer(of: value), !graph.isOutput(value),
      graph.consumers(of: value).count == 1,
      // Only the kernels for images add.
      case .convolution(let layer) = graph[producer].operation, layer.window.axes == 2,
      layer.axis == 1, layer.activation == nil, !layer.addsToInput
    else { return nil }
    return producer
  }

  /// Why a convolution cannot write its result over a value; nil if it can.
  private func obstacle(to convolution: NodeID, overwriting value: ValueID) -> String? {
    let name = graph[value].name
    if graph.inputs.contains(value) { return "\(name), to which it adds, is the caller's" }
    if graph.isOutput(value) { return "\(name), to which it adds, is a result of the network" }
    for reader in graph.consumers(of: value) where graph[reader].outputs != node.outputs {
      if let step = steps[reader], let last = steps[convolution], step >= last {
        return "\(graph[reader].name) still reads \(name), to which it adds"
      }
    }
    return nil
  }
}
