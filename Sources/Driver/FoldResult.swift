import IR

/// What `fold` did.
public struct FoldResult: Sendable {
  let options: FoldOptions
  let summary: PassSummary
  /// Warnings and notes of reading and writing.
  public let findings: [Diagnostic]
  let check: FoldCheck?
  /// Layers, and bytes of parameters as float32, of the folded network.
  let layers: Int
  let bytes: Int

  /// Whether the files were written: not if the outputs came out differently.
  public var isOK: Bool { check?.isOK ?? true }

  /// What could not be folded and why, for standard error.
  public var kept: [Diagnostic] {
    summary.kept.map { entry in
      .note("layer \"\(entry.name)\" (\(entry.type)): \(entry.what)")
    }
  }

  private struct Document: Encodable {
    struct Size: Encodable {
      var layers: Int
      var bytes: Int
    }
    var ok: Bool
    var definition: String
    var weights: String
    var before: Size
    var after: Size
    var passes: [Manifest.Pass]
    var removed: [Manifest.Removed]
    var folded: [Manifest.Remark]
    var kept: [Manifest.Remark]
    var check: FoldCheck?
  }

  /// The document.
  public func json() throws(Diagnostic) -> String {
    try JSONText.document(
      Document(
        ok: isOK, definition: options.foldedDefinition, weights: options.foldedWeights,
        before: Document.Size(layers: summary.source.layers, bytes: summary.source.bytes),
        after: Document.Size(layers: layers, bytes: bytes), passes: summary.passes,
        removed: summary.removed, folded: summary.folded, kept: summary.kept, check: check))
  }

  /// The result for people.
  public var text: String {
    var shown = summary
    // What stays is told on standard error.
    shown.kept = []
    var text = shown.text
    if text.isEmpty { text = "nothing could be removed\n" }
    text += check?.text ?? ""
    let files = "\(options.foldedDefinition.onOneLine), \(options.foldedWeights.onOneLine)"
    guard isOK else {
      return text + "\(files): not written; --no-check writes them all the same\n"
    }
    return text
      + "\(files): \(Quantity.plural(layers, "layer")) (\(summary.source.layers) before), "
      + "\(Quantity.bytes(bytes)) of weights (\(Quantity.bytes(summary.source.bytes)) before)\n"
  }
}
