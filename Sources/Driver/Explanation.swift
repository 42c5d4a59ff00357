import IR

/// Why the layers of a compiled network have the kernels that they have: the story of `explain`.
public struct Explanation: Sendable {
  /// What the network says about itself.
  public let manifest: Manifest
  private let layers: [Manifest.Layer]

  /// Opens a compiled network.
  ///
  /// - Parameter layer: the only layer to explain; nil for all.
  public init(network path: String, layer: String? = nil) throws(Diagnostic) {
    let network = try CompiledNetwork(inspecting: path)
    try self.init(network.manifest, layer: layer, file: path)
  }

  init(_ manifest: Manifest, layer: String?, file: String) throws(Diagnostic) {
    self.manifest = manifest
    layers = manifest.layers.filter { layer == nil || $0.name == layer }
    if let layer, layers.isEmpty {
      if let gone = manifest.removed.first(where: { $0.name == layer }) {
        throw .error("layer \(layer) was removed by \(gone.by): \(gone.reason)", file: file)
      }
      throw .error("it has no layer \(layer)", file: file)
    }
  }

  /// The document: the network's report, with the chosen layers only.
  public func json() throws(Diagnostic) -> String {
    var report = manifest
    report.layers = layers
    return String(decoding: try report.encoded(), as: UTF8.self)
  }

  /// The explanation for people: for each layer the winner, its reason, and every other candidate.
  public var text: String {
    layers.map(text).joined(separator: "\n")
  }

  private func text(_ layer: Manifest.Layer) -> String {
    var text = "\(layer.name.onOneLine) (\(layer.type))"
    if !layer.fused.isEmpty {
      text += " with \(layer.fused.map(\.onOneLine).joined(separator: ", "))"
    }
    text += ": \(layer.kernel)\n  \(layer.reason.onOneLine)\n"
    if layer.weights > 0 {
      text += "  \(layer.nonzeros) of \(layer.weights) weights are not zero "
      text += "(\(Quantity.percent(layer.nonzeros, of: layer.weights)))\n"
    }
    if let sparsity = layer.breakEvenSparsity {
      text += "  scattered zeros pay from \(Quantity.percent(sparsity)) on\n"
    }
    if let hint = layer.hint {
      text += "  the prototxt asked for \(hint.onOneLine)\(Self.outcome(of: layer))\n"
    }
    let names = Set([layer.name] + layer.fused)
    for entry in manifest.folded where names.contains(entry.name) {
      text += "  \(entry.by): \(entry.what.onOneLine)\n"
    }
    for entry in manifest.kept where names.contains(entry.name) {
      text += "  not changed by \(entry.by): \(entry.what.onOneLine)\n"
    }
    return text + Self.table(layer)
  }

  /// What became of a layer's hint: behind "the prototxt asked for …".
  private static func outcome(of layer: Manifest.Layer) -> String {
    let hinted = layer.candidates.filter { $0.hinted ?? false }
    if hinted.contains(where: { $0.kernel == layer.kernel }) { return ", and has it" }
    let fitting = hinted.filter { $0.declined == nil }
    guard let best = fitting.min(by: { ($0.predictedMs ?? 0) < ($1.predictedMs ?? 0) }) else {
      return ", for which there is no kernel here"
    }
    if let time = best.predictedMs, layer.predictedMs > 0 {
      let factor = Quantity.decimal(time / layer.predictedMs, 2)
      return ": \(best.kernel) is predicted to take \(factor) times as long"
    }
    return ": \(best.kernel) was not chosen"
  }

  /// Why a kernel that could have done it was not taken.
  private static func defeat(of candidate: Manifest.Candidate, _ layer: Manifest.Layer) -> String {
    let winner = layer.candidates.first { $0.kernel == layer.kernel }
    if let measured = candidate.measuredMs, let best = winner?.measuredMs {
      return measured < best ? "measured faster, but not chosen" : "measured slower"
    }
    return (candidate.predictedMs ?? 0) < layer.predictedMs
      ? "predicted to be faster, but not chosen" : "predicted to be slower"
  }

  private static func table(_ layer: Manifest.Layer) -> String {
    var table = TextTable(
      ("  candidate", .left), ("predicted ms", .right), ("measured ms", .right), ("verdict", .left))
    for candidate in layer.candidates {
      let verdict =
        candidate.kernel == layer.kernel
        ? "chosen" : candidate.declined.map { "declined: \($0)" } ?? defeat(of: candidate, layer)
      table.add(
        "  " + candidate.kernel,
        candidate.predictedMs.map { Quantity.decimal($0, 4) } ?? "-",
        candidate.measuredMs.map { Quantity.decimal($0, 4) } ?? "-", verdict)
    }
    return table.text
  }
}
