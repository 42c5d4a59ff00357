import IR

/// Layers that run as one, so that what passes between them never goes through memory: a normalisation with the scale
/// and the rectifier behind it, and a sum with the rectifier behind it.
///
/// The layers behind the first work in place, so nobody can ask for what is between them; only `debugInfo` shows it, and
/// makes all layers run one by one.
struct LayerChains {
  struct Chain: Hashable {
    var scale: Int?
    var rectifier: Int?
  }

  private(set) var chains: [Int: Chain] = [:]
  private var absorbed: Set<Int> = []

  init(_ net: TrainingNet, _ wiring: NetWiring, _ plan: GradientPlan) {
    guard !net.debugInfo else { return }
    for (index, layer) in net.layers.enumerated() {
      guard layer.isHead else { continue }
      var chain = Chain()
      if let next = Self.follower(of: index, net, wiring, plan), layer.takesScale,
        net.layers[next].isChannelScale
      {
        chain.scale = next
      }
      if let next = Self.follower(of: chain.scale ?? index, net, wiring, plan),
        layer.takesRectifier, net.layers[next].isRectifier
      {
        chain.rectifier = next
      }
      let rest = [chain.scale, chain.rectifier].compactMap { $0 }
      if rest.isEmpty { continue }
      chains[index] = chain
      absorbed.formUnion(rest)
    }
  }

  /// Whether a layer before this one does its work.
  func isAbsorbed(_ layer: Int) -> Bool { absorbed.contains(layer) }

  /// The layer whose tops are what a layer makes together with those that it absorbs.
  func last(of layer: Int) -> Int {
    chains[layer].flatMap { $0.rectifier ?? $0.scale } ?? layer
  }

  /// The layer that works in place on all that a layer makes, and passes gradients whenever that one does.
  private static func follower(
    of layer: Int, _ net: TrainingNet, _ wiring: NetWiring, _ plan: GradientPlan
  ) -> Int? {
    guard wiring.tops[layer].count == 1 else { return nil }
    let wire = wiring.wires[wiring.tops[layer][0]]
    guard wire.lossWeight == 0, wire.readers.count == 1 else { return nil }
    let next = wire.readers[0].layer
    guard wiring.isInPlace(next), wiring.bottoms[next].count == 1 else { return nil }
    let passesAlike =
      plan.runs[layer] == plan.runs[next]
      && (!plan.runs[layer] || (plan.bottoms[layer].contains(true) && plan.bottoms[next][0]))
    return passesAlike ? next : nil
  }
}

extension TrainingLayer {
  fileprivate var isHead: Bool { takesScale || takesRectifier }

  fileprivate var takesScale: Bool {
    if case .batchNorm = operation { inputShapes[0].axes == 4 } else { false }
  }

  /// A rectifier inside oneDNN's normalisation makes zeros of what is no number. By the batch's statistics that is
  /// noticed, by stored ones it is not.
  fileprivate var takesRectifier: Bool {
    switch operation {
    case .batchNorm(_, _, let usesStored): inputShapes[0].axes == 4 && !usesStored
    case .operation(.eltwise(let layer)):
      if case .sum = layer.combination { true } else { false }
    default: false
    }
  }

  fileprivate var isChannelScale: Bool {
    guard case .operation(.scale(let layer)) = operation else { return false }
    return layer.axis == 1 && layer.spannedAxes == 1
  }

  fileprivate var isRectifier: Bool {
    guard case .operation(.elementwise(let layer)) = operation else { return false }
    return layer.function == .relu(slope: 0)
  }
}

/// What a layer does for those behind it.
struct AbsorbedLayers {
  /// The arrays of the scale, and of its shift if it has one; empty if there is no scale.
  var scale: [LayerParameter] = []
  var rectifies = false
}

/// A layer whose work another does.
final class AbsorbedExecution: LayerExecution {
  func forward() {}
  func backward() {}
}
