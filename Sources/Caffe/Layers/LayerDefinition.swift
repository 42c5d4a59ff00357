import IR

/// One layer of a net as its reader sees it.
struct LayerDefinition {
  /// The `LayerParameter`.
  var message: TextMessage
  /// The shapes of its bottoms; empty for layers that make data.
  var inputShapes: [Shape]
  /// What the net is instantiated for.
  var state: NetState

  var name: String { message.string("name") }
  var type: String { message.string("type") }
  var bottoms: [String] { message.strings("bottom") }
  var tops: [String] { message.strings("top") }

  /// `layer "conv1" (Convolution)`, as messages name it.
  var title: String { Self.title(message) }

  static func title(_ layer: TextMessage) -> String {
    "layer \(Spelling.quoted(layer.string("name"))) (\(layer.string("type")))"
  }

  /// An error at a field of the layer's parameters, or at the layer.
  func refusal(_ what: String, at field: String? = nil, of parameters: TextMessage? = nil)
    -> Diagnostic
  {
    let owner = parameters ?? message
    let location = field.map { owner.location(of: $0) } ?? owner.location
    return .error("\(title): \(what)", at: location ?? message.location)
  }

  /// The result of working with shapes, whose errors become this layer's.
  func fitting<Result>(
    at field: String? = nil, of parameters: TextMessage? = nil,
    _ body: () throws(ShapeError) -> Result
  ) throws(Diagnostic) -> Result {
    do {
      return try body()
    } catch {
      throw refusal(error.description, at: field, of: parameters)
    }
  }

  /// The axis that `axis` names, unless the deprecated field, which cannot count from the end, does.
  func axis(of parameters: TextMessage, deprecated: String) throws(Diagnostic) -> Int {
    guard parameters.has(deprecated) else { return parameters.integer("axis") }
    guard !parameters.has("axis") else {
      throw refusal(
        "axis and \(deprecated) say the same; keep axis", at: deprecated, of: parameters)
    }
    return parameters.integer(deprecated)
  }

  /// A count that must be given and positive.
  func count(_ field: String, of parameters: TextMessage) throws(Diagnostic) -> Int {
    let count = parameters.integer(field)
    guard count >= 1 else {
      throw refusal(
        parameters.has(field)
          ? "\(field) is \(count); it must be at least 1" : "\(field) is missing",
        at: field, of: parameters)
    }
    return count
  }
}
