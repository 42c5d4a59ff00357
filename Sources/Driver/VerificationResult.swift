import IR

/// How far a compiled network is from the reference evaluator.
public struct VerificationResult: Hashable, Sendable {
  /// One blob that both have.
  public struct Blob: Hashable, Sendable {
    public var name: String
    /// The layer that wrote it; empty for an input.
    public var layer: String
    /// max|a - b| / max|b|, the largest over all items; infinite if they cannot be compared.
    public var error: Double
    /// Where the largest difference is, in the blob of the definition; empty if there is none.
    public var index: [Int] = []
    /// What is there, and what should be.
    public var values: [Float]?
    /// How many channels there were to compare; nil if all.
    public var channels: Channels?
  }

  /// Channels of a blob that has lost some.
  public struct Channels: Encodable, Hashable, Sendable {
    public var compared: Int
    public var of: Int
  }

  /// In the order in which the network makes them.
  public var blobs: [Blob]
  public var tolerance: Double
  /// Blobs of the compiled network that the definition does not have.
  public var withoutCounterpart: Int
  /// Blobs of the definition that did not survive compilation.
  public var vanished: Int
  /// Whether all outputs of the definition were compared.
  public var outputsAreThere: Bool

  /// The blob with the largest error.
  public var worst: Blob? {
    blobs.max { a, b in a.error < b.error }
  }

  /// Whether every output was compared, and no blob is further off than allowed.
  public var isOK: Bool { outputsAreThere && blobs.allSatisfy { $0.error <= tolerance } }

  private struct Document: Encodable {
    struct Worst: Encodable {
      var blob: String
      var layer: String
      var error: Double
      var index: [Int]
      var value: Float?
      var expected: Float?
    }
    struct Entry: Encodable {
      var name: String
      var layer: String
      var error: Double
      var channels: Channels?
    }
    var ok: Bool
    var tolerance: Double
    var worst: Worst?
    var blobs: [Entry]
    var vanished: Int
  }

  /// The document.
  public func json() throws(Diagnostic) -> String {
    try JSONText.document(
      Document(
        ok: isOK, tolerance: tolerance,
        worst: worst.map {
          Document.Worst(
            blob: $0.name, layer: $0.layer, error: $0.error, index: $0.index,
            value: $0.values?[0], expected: $0.values?[1])
        },
        blobs: blobs.map {
          Document.Entry(name: $0.name, layer: $0.layer, error: $0.error, channels: $0.channels)
        }, vanished: vanished))
  }

  /// The result for people.
  public var text: String {
    var text = "\(Quantity.plural(blobs.count, "blob")) compared"
    let reduced = blobs.count { $0.channels != nil }
    if reduced > 0 { text += ", \(reduced) of them in the channels that are left" }
    if vanished > 0 { text += ", \(vanished) of the definition gone or fused" }
    if withoutCounterpart > 0 {
      text += ", \(withoutCounterpart) of the compiled network without a counterpart"
    }
    text += "\n"
    if let worst {
      text += "worst: \(worst.name.onOneLine)"
      if !worst.layer.isEmpty { text += " of layer \(worst.layer.onOneLine)" }
      text += ", error \(Self.number(worst.error))"
      if !worst.index.isEmpty {
        text += " at [\(worst.index.map(String.init).joined(separator: ","))]"
      }
      if let values = worst.values { text += ": \(values[0]) instead of \(values[1])" }
      text += "\n"
    }
    if !outputsAreThere { text += "not all outputs of the definition are there\n" }
    let limit = "the limit of \(Self.number(tolerance))"
    return text + (isOK ? "OK: within \(limit)\n" : "FAILED: beyond \(limit)\n")
  }

  private static func number(_ value: Double) -> String {
    value == 0 ? "0" : Quantity.exponent(value)
  }
}
