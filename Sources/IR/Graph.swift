/// Names a node of one graph.
public struct NodeID: Hashable, Sendable, Comparable {
  public let index: Int
  init(_ index: Int) { self.index = index }
  public static func < (a: NodeID, b: NodeID) -> Bool { a.index < b.index }
}

/// Names a value of one graph.
public struct ValueID: Hashable, Sendable, Comparable {
  public let index: Int
  init(_ index: Int) { self.index = index }
  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// An array that flows through the network: an input, or one output of one node.
public struct Value: Hashable, Sendable {
  /// The blob's name in the user's file. Layers that work in place write several values of one name.
  public var name: String
  /// The layer that wrote it; empty for an input.
  public var layer: String
  /// For a graph that is evaluated per item, the shape of one item, with a leading extent of 1.
  public var shape: Shape
  /// Whether a pass made it up: it has no counterpart in the user's file.
  public var isInternal = false
  /// For a value that lost channels of axis 1: for each that is left its index in the blob of the user's file,
  /// or nil if it is there only for its place and its content is arbitrary. nil if all are there.
  public var channels: [Int?]?
}

/// A layer that was taken into another one.
public struct FusedLayer: Hashable, Sendable {
  public var name: String
  public var type: String

  public init(name: String, type: String) {
    self.name = name
    self.type = type
  }
}

/// One layer in its place.
public struct Node: Hashable, Sendable {
  public var name: String
  /// The layer type as the user's file has it.
  public var sourceType: String
  public var operation: Operation
  public var inputs: [ValueID]
  public var outputs: [ValueID]
  /// Learned arrays in the order of `Layer.parameters(for:)`.
  public var parameters: [Tensor]
  /// Layers that this one took in, in order.
  public var fused: [FusedLayer] = []
  /// Where the user wrote the layer.
  public var location: SourceLocation?
  /// A kernel the user wished for in the file, as a hint.
  public var kernelHint: KernelHint?
}

/// How a network treats its batch.
public enum Batch: Hashable, Sendable {
  /// All layers leave axis 0 alone: the graph is that of one item, and any number of items can be run.
  case perItem
  /// Layers mix items: the graph has the batch size of the file.
  case fixed(because: String)
}

/// A network: nodes in the order in which they run, and the values between them.
///
/// A graph is a plain value: a pass keeps `let before = graph` and changes its own copy. IDs stay valid in
/// all copies, and are never given twice.
public struct Graph: Hashable, Sendable {
  public var name: String
  public private(set) var inputs: [ValueID] = []
  public private(set) var outputs: [ValueID] = []
  /// Nodes in the order in which they run.
  public private(set) var order: [NodeID] = []
  public var batch: Batch = .fixed(because: "its batch was not analysed")

  private var nodes: [Node?] = []
  private var values: [Value] = []
  private var producers: [NodeID?] = []

  public init(name: String) { self.name = name }

  // MARK: Reading

  /// - Precondition: the node is in the graph.
  public subscript(node: NodeID) -> Node {
    guard let found = nodes[node.index] else { preconditionFailure("the node was removed") }
    return found
  }

  public subscript(value: ValueID) -> Value { values[value.index] }

  /// The node that makes a value; nil for an input.
  public func producer(of value: ValueID) -> NodeID? { producers[value.index] }

  /// The nodes that read a value, in order; a node that reads it twice is there once.
  public func consumers(of value: ValueID) -> [NodeID] {
    order.filter { self[$0].inputs.contains(value) }
  }

  /// For every value the nodes that read it, in order: `consumers(of:)` of all values at once.
  public func consumerTable() -> [ValueID: [NodeID]] {
    var table: [ValueID: [NodeID]] = [:]
    for node in order {
      for value in Set(self[node].inputs) { table[value, default: []].append(node) }
    }
    return table
  }

  /// All values that exist: inputs, then the outputs of nodes in order.
  public var liveValues: [ValueID] { inputs + order.flatMap { self[$0].outputs } }

  /// The shapes of a node's inputs.
  public func inputShapes(of node: NodeID) -> [Shape] { self[node].inputs.map { self[$0].shape } }

  /// The shapes of a node's outputs.
  public func outputShapes(of node: NodeID) -> [Shape] { self[node].outputs.map { self[$0].shape } }

  /// Whether a value is a result of the network.
  public func isOutput(_ value: ValueID) -> Bool { outputs.contains(value) }

  /// The graph of some of the nodes, in the same order and with the same IDs, with inputs and outputs of its own.
  ///
  /// - Precondition: what the nodes read is made by one of them or an input.
  public func part(
    inputs: [ValueID], outputs: [ValueID], of isPart: (NodeID) -> Bool
  ) -> Graph {
    var result = self
    result.order = order.filter(isPart)
    result.inputs = inputs
    result.outputs = outputs
    for input in inputs { result.producers[input.index] = nil }
    return result
  }

  // MARK: Changing

  /// Adds a network input.
  @discardableResult
  public mutating func addInput(name: String, shape: Shape) -> ValueID {
    let value = addValue(Value(name: name, layer: "", shape: shape), producer: nil)
    inputs.append(value)
    return value
  }

  /// Adds a layer behind all others; its outputs get the names `outputNames` and the shapes that follow.
  ///
  /// `isInternal` says that the outputs have no counterpart in the user's file. Throws if the inputs or
  /// parameters do not fit the layer, or if there are not as many names as outputs.
  @discardableResult
  public mutating func append(
    _ operation: Operation, name: String, sourceType: String? = nil, inputs: [ValueID],
    parameters: [Tensor] = [], outputNames: [String], location: SourceLocation? = nil,
    kernelHint: KernelHint? = nil, isInternal: Bool = false
  ) throws(ShapeError) -> NodeID {
    let node = try makeNode(
      operation, name: name, sourceType: sourceType, inputs: inputs, parameters: parameters,
      outputNames: outputNames, location: location, kernelHint: kernelHint)
    for output in self[node].outputs { values[output.index].isInternal = isInternal }
    order.append(node)
    return node
  }

  /// As `append`, for a node that a pass makes up, placed just before another; its outputs are internal.
  @discardableResult
  public mutating func insert(
    before successor: NodeID, _ operation: Operation, name: String, sourceType: String? = nil,
    inputs: [ValueID], parameters: [Tensor] = [], outputNames: [String],
    location: SourceLocation? = nil
  ) throws(ShapeError) -> NodeID {
    guard let place = order.firstIndex(of: successor) else {
      preconditionFailure("the successor is in the graph")
    }
    let node = try makeNode(
      operation, name: name, sourceType: sourceType, inputs: inputs, parameters: parameters,
      outputNames: outputNames, location: location, kernelHint: nil)
    for output in self[node].outputs { values[output.index].isInternal = true }
    order.insert(node, at: place)
    return node
  }

  /// Changes a node in place; its outputs must stay the same values.
  public mutating func update(_ node: NodeID, _ change: (inout Node) -> Void) {
    var changed = self[node]
    change(&changed)
    precondition(
      changed.outputs == self[node].outputs, "outputs change by the graph's own functions")
    nodes[node.index] = changed
  }

  /// Changes a layer so that its outputs get other shapes; `keptOutputs` names the outputs that remain, by
  /// index.
  ///
  /// Readers are not looked at: they have to be changed in their turn, in order, before the graph is well
  /// formed again. Throws if inputs or parameters do not fit the layer.
  public mutating func reshape(
    _ node: NodeID, to operation: Operation, inputs: [ValueID], parameters: [Tensor],
    keptOutputs: [Int]
  ) throws(ShapeError) {
    let (shapes, slots) = try Self.infer(operation, inputs.map { self[$0].shape })
    guard slots.map(\.shape) == parameters.map(\.shape), shapes.count == keptOutputs.count else {
      throw ShapeError(
        "layer \(self[node].name) would need parameters \(slots.map(\.shape)) and "
          + "\(shapes.count) outputs")
    }
    var changed = self[node]
    changed.operation = operation
    changed.inputs = inputs
    changed.parameters = parameters
    for (index, output) in changed.outputs.enumerated() where !keptOutputs.contains(index) {
      producers[output.index] = nil
    }
    changed.outputs = keptOutputs.map { changed.outputs[$0] }
    for (output, shape) in zip(changed.outputs, shapes) { values[output.index].shape = shape }
    nodes[node.index] = changed
  }

  /// Notes which channels of the user's blob a value still has.
  public mutating func setChannels(_ channels: [Int?]?, of value: ValueID) {
    values[value.index].channels = channels
  }

  /// Puts a layer of one input and one output of the same shape behind output `index` of a node.
  ///
  /// The new layer makes the value that the node made; between them lies a new, internal value.
  @discardableResult
  public mutating func insert(
    behind node: NodeID, output index: Int = 0, _ operation: Operation, name: String,
    sourceType: String? = nil, parameters: [Tensor] = []
  ) throws(ShapeError) -> NodeID {
    guard let place = order.firstIndex(of: node) else {
      preconditionFailure("the node is in the graph")
    }
    let value = self[node].outputs[index]
    var between = self[value]
    between.isInternal = true
    let inner = addValue(between, producer: node)
    nodes[node.index]?.outputs[index] = inner
    let new = try makeNode(
      operation, name: name, sourceType: sourceType, inputs: [inner], parameters: parameters,
      outputNames: [between.name], location: self[node].location, kernelHint: nil)
    guard self[self[new].outputs[0]].shape == between.shape else {
      throw ShapeError("layer \(name) changes the shape \(between.shape)")
    }
    adopt(value, asOutput: 0, of: new)
    order.insert(new, at: place + 1)
    return new
  }

  /// Renames a value and the layer that wrote it.
  public mutating func rename(_ value: ValueID, name: String, layer: String) {
    values[value.index].name = name
    values[value.index].layer = layer
  }

  /// Lets all readers of a value, and the network's outputs, read another one instead.
  public mutating func replaceUses(of old: ValueID, with new: ValueID) {
    for node in order {
      let inputs = self[node].inputs
      guard inputs.contains(old) else { continue }
      nodes[node.index]?.inputs = inputs.map { $0 == old ? new : $0 }
    }
    outputs = outputs.map { $0 == old ? new : $0 }
  }

  /// Makes `node` the producer of `value` instead of its output `index`, whose readers must be gone.
  ///
  /// The fusion of a layer into the one before it: the fused value keeps its identity.
  public mutating func adopt(_ value: ValueID, asOutput index: Int, of node: NodeID) {
    let old = self[node].outputs[index]
    nodes[node.index]?.outputs[index] = value
    producers[old.index] = nil
    producers[value.index] = node
  }

  /// Removes a node; nobody may read its outputs any more, unless they were adopted elsewhere.
  public mutating func remove(_ node: NodeID) {
    for output in self[node].outputs where producers[output.index] == node {
      producers[output.index] = nil
    }
    order.removeAll { $0 == node }
    nodes[node.index] = nil
  }

  /// Sets which values are the network's results.
  public mutating func setOutputs(_ values: [ValueID]) { outputs = values }

  /// Removes a network input that nobody reads.
  public mutating func removeInput(_ value: ValueID) { inputs.removeAll { $0 == value } }

  /// Recomputes all shapes from new shapes of the inputs; parameters must keep theirs.
  public mutating func reshapeInputs(_ shapes: [ValueID: Shape]) throws(ShapeError) {
    for (value, shape) in shapes { values[value.index].shape = shape }
    for id in order {
      let node = self[id]
      let (outputs, slots) = try Self.infer(node.operation, inputShapes(of: id))
      guard slots.map(\.shape) == node.parameters.map(\.shape) else {
        throw ShapeError("layer \(node.name) would need other parameters")
      }
      for (value, shape) in zip(node.outputs, outputs) { values[value.index].shape = shape }
    }
  }

  // MARK: Making

  private mutating func addValue(_ value: Value, producer: NodeID?) -> ValueID {
    values.append(value)
    producers.append(producer)
    return ValueID(values.count - 1)
  }

  private mutating func makeNode(
    _ operation: Operation, name: String, sourceType: String?, inputs: [ValueID],
    parameters: [Tensor], outputNames: [String], location: SourceLocation?, kernelHint: KernelHint?
  ) throws(ShapeError) -> NodeID {
    let (shapes, slots) = try Self.infer(operation, inputs.map { self[$0].shape })
    guard slots.count == parameters.count else {
      throw ShapeError("\(parameters.count) parameters instead of \(slots.count)")
    }
    for (slot, parameter) in zip(slots, parameters) where slot.shape != parameter.shape {
      throw ShapeError("\(slot.name) of shape \(parameter.shape) instead of \(slot.shape)")
    }
    guard outputNames.count == shapes.count else {
      throw ShapeError("\(outputNames.count) outputs instead of \(shapes.count)")
    }
    let id = NodeID(nodes.count)
    nodes.append(nil)
    let outputs = zip(outputNames, shapes).map { output, shape in
      addValue(Value(name: output, layer: name, shape: shape), producer: id)
    }
    nodes[id.index] = Node(
      name: name, sourceType: sourceType ?? operation.layer.typeName, operation: operation,
      inputs: inputs, outputs: outputs, parameters: parameters, location: location,
      kernelHint: kernelHint)
    return id
  }

  private static func infer(_ operation: Operation, _ inputs: [Shape]) throws(ShapeError)
    -> (outputs: [Shape], slots: [ParameterSlot])
  {
    let layer = operation.layer
    guard layer.inputCounts.contains(inputs.count) else {
      let allowed =
        layer.inputCounts.count == 1
        ? "\(layer.inputCounts.lowerBound)"
        : "\(layer.inputCounts.lowerBound) to \(layer.inputCounts.upperBound)"
      throw ShapeError("\(inputs.count) inputs; \(layer.typeName) takes \(allowed)")
    }
    return (try layer.outputShapes(for: inputs), try layer.parameters(for: inputs))
  }
}
