import IR
import SparsecRuntime

/// Runs chunks of rows through a network.
struct NetworkRunner: ~Copyable {
  let network: CompiledNetwork
  /// The most rows of one chunk.
  let rowsAtOnce: Int
  private var context: Context

  init(_ network: CompiledNetwork, batch: Int, threads: Int, profiled: Bool = false)
    throws(Diagnostic)
  {
    let items = try network.items(forBatch: batch)
    var context = try network.context(threads: threads, items: items)
    do {
      if profiled { try context.profile(true) }
    } catch {
      throw .error("\(error)".onOneLine, file: network.path)
    }
    self.network = network
    self.context = context
    rowsAtOnce = items * network.rowsPerItem
  }

  /// The network's outputs for one chunk.
  mutating func outputs(_ chunk: InputChunk) throws(Diagnostic) -> [ResultArray] {
    let results: [[Float]]
    do {
      results = try context.run(items: chunk.items, inputs: chunk.values)
    } catch {
      throw .error("\(error)".onOneLine, file: network.path)
    }
    return zip(network.model.outputs, results).map { ResultArray($0, $1, of: chunk, network) }
  }

  /// All blobs that can be observed, in the network's order, and the outputs.
  mutating func blobs(_ chunk: InputChunk) throws(Diagnostic) -> (
    blobs: [ResultArray], outputs: [ResultArray]
  ) {
    let described = network.model.blobs
    var observed = described.map { [Float](repeating: 0, count: chunk.items * $0.count) }
    let results: [[Float]]
    do {
      results = try context.run(items: chunk.items, inputs: chunk.values) { item, blob, elements in
        let start = item * described[blob].count
        for index in 0..<elements.count { observed[blob][start + index] = elements[index] }
      }
    } catch {
      throw .error("\(error)".onOneLine, file: network.path)
    }
    return (
      zip(described, observed).map { ResultArray($0, $1, of: chunk, network) },
      zip(network.model.outputs, results).map { ResultArray($0, $1, of: chunk, network) }
    )
  }

  /// Seconds spent in each layer of the manifest since the beginning, copies for it included.
  mutating func layerSeconds() throws(Diagnostic) -> [Double] {
    do {
      return network.manifest.layerSeconds(try context.layerTimes())
    } catch {
      throw .error("\(error)".onOneLine, file: network.path)
    }
  }
}

extension Manifest {
  /// Times of steps as times of layers; a layer may consist of several steps.
  func layerSeconds(_ steps: [Double]) -> [Double] {
    layers.map { layer in
      layer.steps.reduce(0) { sum, step in
        steps.indices.contains(step) ? sum + steps[step] : sum
      }
    }
  }
}
