import IR

extension LayerDefinition {
  /// Whether it has as many bottoms and tops, and values for each, as its type may have.
  func checkCounts(_ type: LayerType) throws(Diagnostic) {
    func text(_ range: ClosedRange<Int>) -> String {
      if range.count == 1 { return "\(range.lowerBound)" }
      return range.upperBound > 1000
        ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    }
    let (bottoms, tops) = (self.bottoms.count, self.tops.count)
    guard type.bottoms.contains(bottoms) else {
      throw refusal("\(bottoms) bottoms where it takes \(text(type.bottoms))", at: "bottom")
    }
    guard type.tops.contains(tops) else {
      throw refusal("\(tops) tops where it has \(text(type.tops))", at: "top")
    }
    if case .computedPerBottom = type.role, bottoms != tops {
      throw refusal("\(bottoms) bottoms and \(tops) tops; give as many of each", at: "top")
    }
    let lossWeights = message.count("loss_weight")
    // Caffe gives a loss that names no top one of its own.
    let weighable = type.name.hasSuffix("Loss") ? max(tops, 1) : tops
    guard lossWeights == 0 || lossWeights == weighable else {
      throw refusal(
        "\(lossWeights) values of loss_weight for \(weighable) tops", at: "loss_weight")
    }
    let flags = message.count("propagate_down")
    guard flags == 0 || flags == bottoms else {
      throw refusal(
        "\(flags) values of propagate_down for \(bottoms) bottoms",
        at: "propagate_down")
    }
  }

  /// Why a blob may be missing: its maker comes later or takes no part, or the name is misspelt.
  func explanation(
    of bottom: String, among known: some Sequence<String>, allLayers: [TextMessage]
  ) -> String {
    let makers = allLayers.filter { $0.strings("top").contains(bottom) }
    for maker in makers where maker.position != message.position {
      let name = Spelling.quoted(maker.string("name"))
      if maker.position.line > message.position.line { return "; \(name) is below it" }
      let stages = state.stages
      return "; \(name) takes no part in phase \(state.phase.rawValue)"
        + (stages.isEmpty ? "" : " with stages \(Spelling.shown("\(stages)"))")
    }
    return Spelling.hint(for: bottom, among: known.sorted())
  }
}
