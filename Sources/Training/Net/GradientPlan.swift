import IR

/// Which gradients of a net are computed, by Caffe's rules: those that a learned array lies behind and an objective
/// before, all if the net forces them, and per bottom what `propagate_down` says.
struct GradientPlan {
  /// Whether a layer runs backward at all.
  private(set) var runs: [Bool]
  /// For every layer, per bottom, whether it passes a gradient on.
  private(set) var bottoms: [[Bool]]
  /// For every layer, per learned array, whether it adds to the gradient.
  private(set) var parameters: [[Bool]]

  /// - Throws: if a gradient is needed that a layer cannot compute.
  init(_ net: TrainingNet, _ wiring: NetWiring) throws(Diagnostic) {
    (runs, bottoms, parameters) = Self.needs(net, wiring)
    dropWhatNoObjectiveReaches(net, wiring)
    if net.forcesBackward { force(net, wiring) }
    for index in runs.indices
    where !bottoms[index].contains(true) && !parameters[index].contains(true) {
      runs[index] = false
    }
    for (index, layer) in net.layers.enumerated() where runs[index] {
      for (place, wants) in bottoms[index].enumerated() where wants {
        try check(layer, place)
      }
    }
  }

  /// Whether some layer passes a gradient to a blob.
  func reaches(_ wire: NetWiring.Wire) -> Bool {
    wire.readers.contains { runs[$0.layer] && bottoms[$0.layer][$0.bottom] }
  }

  /// Whether the gradient of a blob has been begun when a reader's turn comes: readers run from the last layer to the
  /// first, and each from its first bottom to its last.
  func isBegun(_ wire: NetWiring.Wire, layer: Int, bottom: Int) -> Bool {
    wire.lossWeight != 0
      || wire.readers.contains {
        runs[$0.layer] && bottoms[$0.layer][$0.bottom]
          && ($0.layer > layer || ($0.layer == layer && $0.bottom < bottom))
      }
  }

  private static func needs(_ net: TrainingNet, _ wiring: NetWiring)
    -> (runs: [Bool], bottoms: [[Bool]], parameters: [[Bool]])
  {
    var isNeeded = [Bool](repeating: false, count: wiring.wires.count)
    var (runs, bottoms, parameters): ([Bool], [[Bool]], [[Bool]]) = ([], [], [])
    for (index, layer) in net.layers.enumerated() {
      let natural = wiring.bottoms[index].map { isNeeded[$0] }
      let wanted = natural.indices.map { place in
        let chosen = layer.propagatesDown.flatMap { place < $0.count ? $0[place] : nil }
        return (chosen ?? natural[place]) && !layer.operation.ignoresInput(place)
      }
      let learned = layer.parameters.map { $0.rateFactor != 0 }
      let needsRun = wanted.contains(true) || natural.contains(true) || learned.contains(true)
      for top in wiring.tops[index] { isNeeded[top] = needsRun }
      runs.append(needsRun)
      bottoms.append(wanted)
      parameters.append(learned)
    }
    return (runs, bottoms, parameters)
  }

  private mutating func dropWhatNoObjectiveReaches(_ net: TrainingNet, _ wiring: NetWiring) {
    var contributes = [Bool](repeating: false, count: wiring.wires.count)
    for index in net.layers.indices.reversed() {
      let tops = wiring.tops[index]
      let isUnderLoss = tops.contains { wiring.wires[$0].lossWeight != 0 || contributes[$0] }
      // Where every path to the objective was forbidden nothing arrives.
      let isReached = tops.contains { top in
        wiring.wires[top].lossWeight != 0 || reaches(wiring.wires[top])
      }
      if !isUnderLoss || !isReached {
        runs[index] = false
        bottoms[index] = bottoms[index].map { _ in false }
      }
      if isUnderLoss { for bottom in wiring.bottoms[index] { contributes[bottom] = true } }
    }
  }

  private mutating func force(_ net: TrainingNet, _ wiring: NetWiring) {
    for (index, layer) in net.layers.enumerated() where !layer.tops.isEmpty {
      for place in layer.bottoms.indices where layer.operation.passesGradient(to: place) {
        bottoms[index][place] = true
      }
      parameters[index] = parameters[index].map { _ in true }
      runs[index] = bottoms[index].contains(true) || parameters[index].contains(true)
    }
  }

  private func check(_ layer: TrainingLayer, _ place: Int) throws(Diagnostic) {
    guard !layer.operation.passesGradient(to: place) else { return }
    throw .error(
      "\(layer.title) cannot pass a gradient to its bottom \"\(layer.bottoms[place])\", which depends on "
        + "learned parameters; say propagate_down: false", at: layer.location)
  }
}

extension TrainingOperation {
  /// Whether a bottom is not looked at by value: gradients are never asked for.
  func ignoresInput(_ place: Int) -> Bool {
    switch self {
    case .operation(.crop): place == 1
    case .operation(.silence): true
    case .operation, .operationPerBottom, .batchNorm, .dropout, .stochasticPooling, .loss,
      .accuracy,
      .data:
      false
    }
  }

  /// Whether the operation has a derivative by its bottom `place`.
  func passesGradient(to place: Int) -> Bool {
    switch self {
    case .operation(let operation), .operationPerBottom(let operation):
      operation.passesGradient(to: place)
    case .batchNorm, .dropout, .stochasticPooling: true
    case .loss(.euclidean): true
    case .loss(.contrastive): place < 2
    case .loss(.softmax), .loss(.hinge), .loss(.sigmoidCrossEntropy), .loss(.multinomialLogistic),
      .loss(.infogain):
      place == 0
    case .accuracy, .data: false
    }
  }
}

extension Operation {
  fileprivate func passesGradient(to place: Int) -> Bool {
    switch self {
    case .argMax, .embed, .silence: false
    case .batchReindex, .crop: place == 0
    case .elementwise(let layer):
      if case .threshold = layer.function { false } else { true }
    case .batchNorm, .bias, .borderBias, .concat, .constant, .convolution, .deconvolution, .eltwise,
      .flatten, .identity, .im2col, .innerProduct, .lrn, .mvn, .parameter, .pooling, .preLU,
      .reduction, .repack, .reshape, .scale, .slice, .softmax, .spatialPyramidPooling, .split,
      .tile:
      true
    }
  }
}
