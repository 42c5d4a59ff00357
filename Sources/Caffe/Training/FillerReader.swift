import IR

/// Reads how learned arrays, and the blobs of DummyData, start.
enum FillerReader {
  private static let types = [
    "constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear",
  ]

  /// The filler that a `FillerParameter` describes.
  ///
  /// - Throws: an unknown type, or numbers that make no distribution, at their place.
  static func filler(_ message: TextMessage, of layer: LayerDefinition) throws(Diagnostic)
    -> Filler
  {
    let type = message.string("type")
    switch type {
    case "constant": return .constant(try finite("value", message, layer))
    case "uniform":
      let (low, high) = (try finite("min", message, layer), try finite("max", message, layer))
      guard low <= high else {
        throw layer.refusal("a filler from \(low) to \(high)", at: "min", of: message)
      }
      return .uniform(low: low, high: high)
    case "gaussian":
      let sparse = message.integer("sparse")
      guard sparse >= -1 else {
        throw layer.refusal(
          "sparse is \(sparse); it counts inputs, and -1 stands for all", at: "sparse",
          of: message)
      }
      return .gaussian(
        mean: try finite("mean", message, layer), deviation: try finite("std", message, layer),
        sparse: sparse >= 0 ? sparse : nil)
    case "positive_unitball": return .positiveUnitBall
    case "xavier": return .xavier(fan(message))
    case "msra": return .msra(fan(message))
    case "bilinear": return .bilinear
    default:
      throw layer.refusal(
        "unknown filler type \(Spelling.quoted(type))"
          + Spelling.hint(for: type, among: types), at: "type", of: message)
    }
  }

  /// The filler in a field, or `usual` if the field is not given.
  static func filler(
    _ field: String, of parameters: TextMessage, in layer: LayerDefinition,
    otherwise usual: Filler = .constant(0)
  ) throws(Diagnostic) -> Filler {
    guard parameters.has(field) else { return usual }
    return try filler(parameters.message(field), of: layer)
  }

  private static func fan(_ message: TextMessage) -> Filler.Fan {
    Filler.Fan(rawValue: message.enumName("variance_norm")) ?? .fanIn
  }

  private static func finite(_ name: String, _ message: TextMessage, _ layer: LayerDefinition)
    throws(Diagnostic) -> Float
  {
    let value = message.float(name)
    guard value.isFinite else {
      throw layer.refusal("a filler's \(name) is \(value)", at: name, of: message)
    }
    return value
  }
}
