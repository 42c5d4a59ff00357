import IR

/// What a net is instantiated for; layers choose by it whether they take part.
public struct NetState: Hashable, Sendable {
  public enum Phase: String, Hashable, Sendable {
    case train = "TRAIN"
    case test = "TEST"
  }

  public var phase: Phase
  public var level: Int
  public var stages: [String]

  public init(phase: Phase = .test, level: Int = 0, stages: [String] = []) {
    self.phase = phase
    self.level = level
    self.stages = stages
  }

  /// This state overridden by what a `NetState` message gives; its stages come on top.
  ///
  /// - Precondition: `message` is a `NetState`.
  public func merging(_ message: TextMessage) -> NetState {
    var result = self
    if message.has("phase") { result.phase = Phase(rawValue: message.enumName("phase")) ?? phase }
    if message.has("level") { result.level = message.integer("level") }
    result.stages += message.strings("stage")
    return result
  }

  /// Whether a `NetStateRule` applies to this state.
  func meets(_ rule: TextMessage) -> Bool {
    if rule.has("phase"), rule.enumName("phase") != phase.rawValue { return false }
    if rule.has("min_level"), level < rule.integer("min_level") { return false }
    if rule.has("max_level"), level > rule.integer("max_level") { return false }
    let present = Set(stages)
    return rule.strings("stage").allSatisfy(present.contains)
      && !rule.strings("not_stage").contains(where: present.contains)
  }
}

extension TextMessage {
  /// The layers of a current net that take part in `state`, with their phase filled in.
  ///
  /// A layer with `include` rules takes part iff one of them is met, a layer with `exclude` rules
  /// iff none is.
  ///
  /// - Precondition: the message is a `NetParameter` that was upgraded.
  /// - Throws: at a layer with rules of both kinds.
  public func layers(in state: NetState) throws(Diagnostic) -> [TextMessage] {
    precondition(!has("layers") && !has("input"), "the net was not upgraded")
    var result: [TextMessage] = []
    for var layer in messages("layer") {
      let include = layer.messages("include")
      let exclude = layer.messages("exclude")
      guard include.isEmpty || exclude.isEmpty else {
        throw .error(
          "layer \(Spelling.quoted(layer.string("name"))) has include and exclude rules; "
            + "keep one kind",
          at: layer.location(of: "exclude"))
      }
      let takesPart =
        include.isEmpty
        ? !exclude.contains(where: state.meets) : include.contains(where: state.meets)
      guard takesPart else { continue }
      layer.set("phase", .name(state.phase.rawValue))
      result.append(layer)
    }
    return result
  }
}
