import Foundation
import IR
import Reference
import SparsecRuntime

/// What `verify` is asked to do.
public struct VerificationOptions: Sendable {
  public var network: String
  public var definition: String
  public var weights: String
  /// Arrays as `[NAME=]FILE.npy`; none for random input.
  public var arrays: [String] = []
  /// What the random input depends on.
  public var seed: UInt64 = 1
  /// The largest error of a blob: max|a - b| / max|b|.
  public var tolerance = 1e-4
  /// Threads of the reference evaluator.
  public var threads = 1
  public var inputShapes: [InputShapeWish] = []
  public var allowUnknownFields = false

  public init(network: String, definition: String, weights: String) {
    self.network = network
    self.definition = definition
    self.weights = weights
  }
}

/// Compares a compiled network with the reference evaluator, blob by blob: the story of `verify`.
public struct NetVerification {
  public var options: VerificationOptions
  /// Told about progress: what is done, and the share of everything.
  public var progress: (String, Double) -> Void = { _, _ in }

  public init(_ options: VerificationOptions) { self.options = options }

  /// Runs both and compares every blob that both have.
  public func run() throws(Diagnostic) -> VerificationResult {
    guard options.tolerance.isFinite, options.tolerance >= 0 else {
      throw .error("--tolerance \(options.tolerance): a number of 0 or more is possible")
    }
    guard (1...1024).contains(options.threads) else {
      throw .error("--threads \(options.threads): 1 to 1024 are possible")
    }
    let network = try CompiledNetwork(path: options.network)
    progress("read the network", 0)
    let source = try NetworkSource.read(
      definition: options.definition, weights: options.weights, inputShapes: options.inputShapes,
      allowUnknownFields: options.allowUnknownFields)
    try requireSameInputs(network, source.graph)
    var comparison = BlobComparison(network, source.graph)
    let chunks = try chunks(for: network, source.graph)
    var runner = try NetworkRunner(network, batch: 1, threads: 1)
    for (index, chunk) in chunks.enumerated() {
      let compiled = try runner.blobs(chunk).blobs
      try evaluate(source.graph, chunk, from: Double(index), of: Double(chunks.count)) {
        value, expected in
        comparison.add(value, expected, compiled: compiled)
      }
    }
    return comparison.result(tolerance: options.tolerance)
  }

  /// One item each.
  private func chunks(for network: CompiledNetwork, _ graph: Graph) throws(Diagnostic)
    -> [InputChunk]
  {
    let rows = network.rowsPerItem
    guard options.arrays.isEmpty else {
      let arrays = try ArrayInputs(options.arrays, for: network)
      // A last part that does not fill a fixed batch would be compared with made-up rows.
      guard arrays.rows % rows == 0 else {
        throw .error(
          "\(arrays.rows) rows are no multiple of the network's fixed batch of \(rows)",
          file: arrays.name)
      }
      return stride(from: 0, to: arrays.rows, by: rows).map { arrays.chunk($0..<$0 + rows) }
    }
    var generator = SeededGenerator(seed: options.seed)
    let values = graph.inputs.map { input in
      RandomInput.values(for: input, in: graph, generator: &generator)
    }
    return [InputChunk(items: 1, rows: rows, values: values)]
  }

  private func evaluate(
    _ graph: Graph, _ chunk: InputChunk, from index: Double, of count: Double,
    _ compare: (ValueID, Tensor) -> Void
  ) throws(Diagnostic) {
    var inputs: [ValueID: Tensor] = [:]
    for (input, values) in zip(graph.inputs, chunk.values) {
      inputs[input] = Tensor(shape: graph[input].shape, values: values)
    }
    let total = Double(max(graph.liveValues.count, 1))
    var done = 0.0
    do {
      _ = try Evaluator(graph, threads: options.threads).run(inputs: inputs) { value, tensor in
        compare(value, tensor)
        done += 1
        progress("compare \(graph[value].name)", (index + done / total) / count)
      }
    } catch {
      throw .error("the reference evaluator cannot run it: \(error)", file: options.definition)
    }
  }

  private func requireSameInputs(_ network: CompiledNetwork, _ graph: Graph) throws(Diagnostic) {
    func text(_ inputs: [(name: String, shape: [Int])]) -> String {
      inputs.map { "\($0.name) \(Quantity.shape($0.shape))" }.joined(separator: ", ")
    }
    let compiled = text(network.model.inputs.map { ($0.name, $0.shape) })
    let defined = text(graph.inputs.map { (graph[$0].name, graph[$0].shape.extents) })
    guard compiled == defined else {
      throw .error(
        "it takes \(compiled), but \(options.definition) defines \(defined); is it compiled from "
          + "another network?", file: network.path)
    }
  }
}
