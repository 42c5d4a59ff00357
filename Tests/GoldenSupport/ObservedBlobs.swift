import IR
import Reference

/// Values of a net's blobs, from Caffe or from an engine of ours.
public struct ObservedBlobs: Sendable {
  /// What a blob holds when all layers have run, by its name.
  public var final: [String: Tensor] = [:]
  /// What a layer wrote, by `layer::blob`: layers that work in place write one blob in turn.
  public var layers: [String: Tensor] = [:]

  public init() {}

  /// Notes a value of a graph; values are noted in the order in which they are made.
  public mutating func note(_ value: Value, _ tensor: Tensor) {
    final[value.name] = tensor
    if !value.layer.isEmpty { layers["\(value.layer)::\(value.name)"] = tensor }
  }
}

/// Something that evaluates nets: it is given the graph and inputs by name, of as many items as it
/// likes if the graph is evaluated per item, and returns the blobs that it can show.
public typealias Engine = (_ graph: Graph, _ inputs: [String: Tensor]) throws -> ObservedBlobs

/// The reference evaluator as an engine; it shows all blobs.
public func referenceEngine(_ graph: Graph, _ inputs: [String: Tensor]) throws -> ObservedBlobs {
  var evaluator = Evaluator(graph, threads: 2)
  if graph.batch == .perItem, let first = graph.inputs.first {
    let items = inputs[graph[first].name]?.shape[0] ?? 1
    evaluator = try Evaluator(graph, items: items, threads: 2)
  }
  var blobs = ObservedBlobs()
  _ = try evaluator.run(named: inputs) { value, tensor in blobs.note(graph[value], tensor) }
  return blobs
}
