import IR
import SparsecRuntime

/// What a compiled network says about itself.
public struct CompiledInspection: Sendable {
  public var file: String
  public var manifest: Manifest
  /// Why this machine's CPU cannot run it; nil if it can.
  public var unsupportedReason: String?
  /// Blobs that can be observed.
  public var blobs: [String]

  init(_ network: CompiledNetwork) {
    file = network.path
    manifest = network.manifest
    unsupportedReason = network.model.unsupportedReason
    blobs = network.model.blobs.map(\.name)
  }

  /// The result for people.
  public var text: String {
    var text = Quantity.title("network", manifest.name)
    text += " for \(manifest.target), by \(manifest.compiler)\n"
    for input in manifest.inputs {
      text += "input \(input.name.onOneLine): \(Quantity.shape(input.shape))\n"
    }
    for output in manifest.outputs {
      text += "output \(output.name.onOneLine): \(Quantity.shape(output.shape))\n"
    }
    if let reason = manifest.batch.fixedBecause {
      text += "the batch is fixed, because \(reason)\n"
    } else {
      text += "batches of up to \(manifest.batch.maximum)\n"
    }
    if let labels = manifest.labels { text += "\(Quantity.plural(labels.count, "label"))\n" }
    if let unsupportedReason {
      text += "this machine cannot run it: \(unsupportedReason.onOneLine)\n"
    }
    text += "\n" + manifest.summary
    if !manifest.notes.isEmpty {
      text += "\n" + manifest.notes.map { $0.onOneLine + "\n" }.joined()
    }
    return text
  }
}

extension Manifest {
  /// Layers with their kernels, what was removed, what the passes did, and memory, as text.
  var summary: String {
    var text = layerTable
    let passes = PassSummary(self).text
    if !passes.isEmpty { text += "\n" + passes }
    text += "\nmemory: \(Quantity.bytes(memory.arenaBytes)) of scratch for each item in flight, "
    text += "\(Quantity.bytes(memory.weightBytes)) of weights "
    text += "(\(Quantity.bytes(memory.sourceWeightBytes)) in the source)\n"
    return text
  }

  private var layerTable: String {
    var table = TextTable(
      ("layer", .left), ("type", .left), ("kernel", .left), ("nonzero", .right),
      ("multiply-adds", .right), ("predicted ms", .right))
    for layer in layers {
      table.add(
        ([layer.name] + layer.fused).joined(separator: "+"), layer.type, layer.kernel,
        Quantity.percent(layer.nonzeros, of: layer.weights), "\(layer.nonzeroMultiplyAdds)",
        Quantity.decimal(layer.predictedMs, 4))
    }
    return table.text
  }
}
