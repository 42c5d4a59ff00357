import IR

/// What a definition says about training its layers, which no graph holds.
///
/// A network that is written again keeps it, so that training can go on: learning rates and weight decay of
/// every learned array, the ratio of Dropout, and how BatchNorm gathers its statistics. Settings of forks, and
/// names by which layers share arrays, are left out.
public struct TrainingSettings: Sendable {
  private var layers: [String: TextMessage] = [:]
  /// Whether the definition is one for testing only: without data sources, losses and layers of one phase.
  public let isForTesting: Bool

  /// The settings of no network.
  init() { isForTesting = true }

  /// The settings of a definition of any generation.
  ///
  /// - Throws: if it is no definition of a network.
  public init(_ prototxt: Prototxt) throws(Diagnostic) {
    guard prototxt.kind == .net else {
      throw .error("this is a solver, not a net", file: prototxt.message.file)
    }
    let net = try Upgrade.net(prototxt.message)
    isForTesting = net.messages("layer").allSatisfy { layer in
      !layer.has("include") && !layer.has("exclude") && !Self.servesTraining(layer)
    }
    // Layers of one name have no weights, or the net cannot be read.
    for layer in try net.layers(in: NetState()) { layers[layer.string("name")] = layer }
  }

  private static func servesTraining(_ layer: TextMessage) -> Bool {
    switch (try? LayerReaders.type(of: layer))?.role {
    case .data: layer.string("type") != "Input"
    case .trainingOnly: true
    case .computed, .computedPerBottom, .refused, nil: false
    }
  }

  /// The `param` messages of a layer of so many learned arrays, without what they say of other matters; none if
  /// they say nothing else.
  func rates(of name: String, blobs: Int) -> [TextMessage] {
    let specs = layers[name]?.messages("param").prefix(blobs).map { Self.rates(of: $0) } ?? []
    return specs.contains { !$0.fields.isEmpty } ? specs : []
  }

  /// Adds what the parameters of a layer say about training.
  func complete(_ layer: inout TextMessage, as name: String) {
    guard let source = layers[name] else { return }
    switch layer.string("type") {
    case "Dropout": copy(["dropout_ratio"], of: "dropout_param", from: source, to: &layer)
    case "BatchNorm":
      copy(
        ["use_global_stats", "moving_average_fraction"], of: "batch_norm_param", from: source,
        to: &layer)
    default: break
    }
  }

  /// Copies fields that are given, unless the layer has them already.
  private func copy(
    _ names: [String], of field: String, from source: TextMessage, to layer: inout TextMessage
  ) {
    let given = source.message(field)
    var message = layer.message(field)
    for name in names where given.has(name) && !message.has(name) {
      message.append(name, given.value(name))
    }
    if !message.fields.isEmpty { layer.set(field, .message(message)) }
  }

  private static func rates(of spec: TextMessage) -> TextMessage {
    var rates = TextMessage(type: spec.type)
    for name in ["lr_mult", "decay_mult"] where spec.has(name) {
      rates.append(name, spec.value(name))
    }
    return rates
  }
}
