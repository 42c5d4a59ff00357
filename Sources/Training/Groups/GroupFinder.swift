import IR

/// Finds the weights of a net that can become zero together.
struct GroupFinder {
  private let parameters: [Parameter]
  private let net: TrainingNet
  /// Weights of Convolution and InnerProduct layers, by place.
  private let weights: [Int]

  init(_ parameters: [Parameter], in net: TrainingNet) {
    self.parameters = parameters
    self.net = net
    weights = parameters.indices.filter { net.isPrunable(parameters[$0]) }
  }

  /// One set for each layer, or for each span of layers that write to the same channels.
  func sets(_ structure: ZeroStructure) -> [WeightGroups] {
    switch structure {
    case .element:
      return weights.map { set($0, Tiling(of: parameters[$0].shape, height: 1, width: 1)) }
    case .filter: return filters
    case .channel:
      return weights.compactMap { index in channels(of: index).map { set(index, $0) } }
    case .shape:
      return weights.map { index in
        let shape = parameters[index].shape
        return isTransposed(index)
          ? set(index, Tiling(of: shape, height: 1))
          : set(index, Tiling(of: shape, height: bandHeight(of: index), width: 1))
      }
    case .kernel:
      return weights.compactMap { index in
        let shape = parameters[index].shape
        guard shape.axes > 2 else { return nil }
        return set(index, Tiling(of: shape, height: 1, width: shape.count(from: 2)))
      }
    case .depth:
      let around = Detours(net).avoidable
      return weights.filter { around.contains(parameters[$0].layer) }
        .map { set($0, Tiling(of: parameters[$0].shape)) }
    }
  }

  /// The share of `sets` that is the given share of what it is counted over.
  ///
  /// - Throws: if there are too few.
  func share(_ share: Double, _ structure: ZeroStructure, sets: Int) throws(Diagnostic) -> Double {
    guard structure == .depth else { return share }
    let wanted = share * Double(max(weights.count - 1, 1))
    guard wanted <= Double(sets) + 0.5 else {
      throw .error(
        "--sparsity \(share): \(sets) of \(weights.count - 1) layers can vanish, which is a share of "
          + "\(Double(sets) / Double(weights.count - 1))")
    }
    return min(1, wanted / Double(sets))
  }

  private func set(_ index: Int, _ tiling: Tiling) -> WeightGroups {
    WeightGroups([.init(parameter: index, tiling: tiling)])
  }

  /// Spans of all layers but the last, whose rows are the net's answers.
  private var filters: [WeightGroups] {
    let spans = ChannelSpans(parameters, in: net)
    return weights.dropLast().compactMap { index in
      if isTransposed(index) {
        return set(index, Tiling(of: parameters[index].shape, width: 1))
      }
      return spans.members(startingAt: index).map { WeightGroups($0) }
    }
  }

  private func layer(of index: Int) -> TrainingLayer? {
    net.layers.first { $0.name == parameters[index].layer }
  }

  private func isTransposed(_ index: Int) -> Bool {
    guard let layer = layer(of: index),
      case .operation(.innerProduct(let product)) = layer.operation
    else { return false }
    return product.isTransposed
  }

  private func bandHeight(of index: Int) -> Int {
    parameters[index].shape[0] / net.convolutionGroups(of: parameters[index])
  }

  /// Tiles of all weights that read one channel; nil where no channels can be told.
  private func channels(of index: Int) -> Tiling? {
    let shape = parameters[index].shape
    guard let layer = layer(of: index) else { return nil }
    if shape.axes > 2 {
      return Tiling(of: shape, height: bandHeight(of: index), width: shape.count(from: 2))
    }
    guard let input = layer.inputShapes.first, input.axes >= 2 else { return nil }
    let inputs = isTransposed(index) ? shape[0] : shape[1]
    let plane = input.count(from: 2)
    guard input.count(from: 1) == inputs else { return nil }
    return isTransposed(index)
      ? Tiling(of: shape, height: plane) : Tiling(of: shape, width: plane)
  }
}

/// Which layers of a net something leads around: those whose weights may all be zero without cutting the net.
struct Detours {
  /// Convolution and InnerProduct layers that do not lie on the shortest way from the data to the objective, counted in
  /// such layers: in residual nets, those beside the shortcuts.
  let avoidable: Set<String>

  init(_ net: TrainingNet) {
    var ways: [String: [String]] = [:]
    var all: Set<String> = []
    var shortest: [String] = []
    // A net without an objective ends where its last layer does.
    var (hasLoss, last) = (false, [String]())
    for layer in net.layers {
      let isWeighted =
        switch layer.operation {
        case .operation(.convolution), .operationPerBottom(.convolution),
          .operation(.innerProduct), .operationPerBottom(.innerProduct):
          true
        default: false
        }
      // Where several blobs are added, each leads on; other layers need all of their bottoms.
      let arriving = layer.bottoms.compactMap { ways[$0] }
      var way: [String]
      if case .operation(.eltwise) = layer.operation {
        way = arriving.min { $0.count < $1.count } ?? []
      } else {
        way = []
        for part in arriving { way += part.filter { !way.contains($0) } }
      }
      if isWeighted {
        all.insert(layer.name)
        way.append(layer.name)
      }
      for top in layer.tops { ways[top] = way }
      if case .loss = layer.operation {
        shortest += way
        hasLoss = true
      }
      if !hasLoss { last = way }
    }
    if !hasLoss { shortest = last }
    avoidable = all.subtracting(shortest)
  }
}
