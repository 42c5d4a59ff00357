import IR

/// The groups among which a target is counted, one set for each layer (or for each span of layers).
public struct TargetGroups {
  /// Sets of groups with one target.
  public struct Scope: Hashable, Sendable {
    /// Places in `sets`.
    public var sets: [Int]
    /// The share of groups that shall be zero.
    public var share: Double
    /// What messages call it.
    public var title: String
  }

  public let sets: [WeightGroups]
  public let scopes: [Scope]
  public let structure: ZeroStructure

  /// The same share of every weight of Convolution and InnerProduct layers.
  ///
  /// - Parameter isUniform: whether each layer has a scope of its own.
  init(elementsOf parameters: [Parameter], in net: TrainingNet, share: Double, isUniform: Bool) {
    structure = .element
    sets = GroupFinder(parameters, in: net).sets(.element)
    scopes =
      isUniform
      ? sets.indices.map { Scope(sets: [$0], share: share, title: "layer") }
      : [Scope(sets: Array(sets.indices), share: share, title: "net")]
  }

  /// - Parameter isUniform: whether each set is a scope of its own, instead of all that share a target.
  /// - Throws: a layer that is not there or has no such groups, and a share that cannot be reached.
  public init(
    _ target: SparsityTarget, _ parameters: [Parameter], in net: TrainingNet, isUniform: Bool
  ) throws(Diagnostic) {
    structure = target.structure
    let finder = GroupFinder(parameters, in: net)
    sets = finder.sets(target.structure)
    guard !sets.isEmpty else {
      throw .error("no weights of this net can become zero by \(target.structure.rawValue)")
    }
    var byLayer: [String: Int] = [:]
    for (place, set) in sets.enumerated() {
      for member in set.members where net.isPrunable(parameters[member.parameter]) {
        byLayer[parameters[member.parameter].layer] = place
      }
    }
    var scopes: [Scope] = []
    var named: Set<Int> = []
    for (layer, share) in target.layers.sorted(by: { $0.key < $1.key }) {
      guard let place = byLayer[layer] else {
        throw .error(
          "--sparsity: layer \"\(layer)\" has no weights that can become zero by "
            + "\(target.structure.rawValue); those of \(byLayer.keys.sorted().joined(separator: ", ")) can"
        )
      }
      guard named.insert(place).inserted else {
        throw .error(
          "--sparsity: layer \"\(layer)\" shares its channels with another one that is "
            + "named; name one of them")
      }
      scopes.append(Scope(sets: [place], share: share, title: layer))
    }
    if let share = target.share {
      let rest = sets.indices.filter { !named.contains($0) }
      if isUniform, target.structure != .depth {
        for place in rest {
          let layer = parameters[sets[place].members[0].parameter].layer
          scopes.append(Scope(sets: [place], share: share, title: layer))
        }
      } else if !rest.isEmpty {
        scopes.append(
          Scope(
            sets: rest, share: try finder.share(share, target.structure, sets: rest.count),
            title: "net"))
      }
    }
    self.scopes = scopes
  }

  /// The sets that have a target.
  var targeted: [Int] { scopes.flatMap(\.sets) }

  /// The shares of groups that are zero, by scope.
  func reached(_ parameters: [Parameter]) -> [Double] {
    scopes.map { scope in
      var (zeros, count) = (0, 0)
      for place in scope.sets {
        zeros += zeroGroups(in: sets[place], parameters)
        count += sets[place].count
      }
      return Double(zeros) / Double(max(count, 1))
    }
  }

  private func zeroGroups(in set: WeightGroups, _ parameters: [Parameter]) -> Int {
    if set.isElementwise { return parameters[set.members[0].parameter].values.count { $0 == 0 } }
    return set.squares(in: parameters).count { $0 == 0 }
  }

  /// Which groups of each set survive when each scope gets its share of zeros, scaled by `progress`: the ones of largest
  /// norm per element. No layer loses all of its filters, channels, columns or kernels, unless all shall go.
  ///
  /// - Parameter keepsZeros: whether groups that are zero do not survive, wanted or not.
  /// - Returns: by set; nil for sets without a target.
  func survivors(_ parameters: [Parameter], progress: Double = 1, keepsZeros: Bool = false)
    -> [[Bool]?]
  {
    var result: [[Bool]?] = sets.map { _ in nil }
    for scope in scopes {
      let kept = survivors(
        in: scope, parameters, share: scope.share * progress, keepsZeros: keepsZeros)
      for (place, kept) in zip(scope.sets, kept) { result[place] = kept }
    }
    return result
  }

  /// The same for one scope and any share, by set of the scope.
  func survivors(
    in scope: Scope, _ parameters: [Parameter], share: Double, keepsZeros: Bool = false
  ) -> [[Bool]] {
    let keys = scope.sets.map { norms(of: sets[$0], parameters) }
    let total = keys.reduce(0) { $0 + $1.count }
    let zeros = Int((share * Double(total)).rounded())
    let limit =
      zeros > 0
      ? MagnitudeSelection.threshold(of: keys.map(\.buffer), rank: zeros) : (key: 0, ties: 0)
    var ties = limit.ties
    return keys.map { norms in
      var kept = norms.buffer.map { norm in
        let size = MagnitudeSelection.key(norm)
        if size < limit.key || (keepsZeros && size == 0) { return false }
        guard size == limit.key, ties > 0 else { return true }
        ties -= 1
        return false
      }
      if structure.leavesOne, share < 1, !kept.contains(true) { kept[norms.largest] = true }
      return kept
    }
  }

  /// Norms per square root of elements, so that groups of different sizes compare.
  func norms(of set: WeightGroups, _ parameters: [Parameter]) -> FloatStorage {
    if set.isElementwise {
      return FloatStorage(copying: parameters[set.members[0].parameter].values)
    }
    let area = Double(set.area)
    return FloatStorage(set.squares(in: parameters).map { Float(($0 / area).squareRoot()) })
  }

  /// Masks of the parameters in which the groups that do not survive are zero; nil for parameters without a target.
  func masks(_ survivors: [[Bool]?], _ parameters: [Parameter]) -> [[Bool]?] {
    var masks: [[Bool]?] = parameters.map { _ in nil }
    for (set, kept) in zip(sets, survivors) {
      guard let kept else { continue }
      for member in set.members {
        let tiling = member.tiling
        masks[member.parameter] = (0..<parameters[member.parameter].count).map {
          kept[tiling.area == 1 ? $0 : tiling.tile(of: $0)]
        }
      }
    }
    return masks
  }
}

extension ZeroStructure {
  /// Whether a layer must keep one of its groups, since without any it cuts the net.
  var leavesOne: Bool { self != .element && self != .depth }
}

extension WeightGroups {
  /// Whether each element of one parameter is a group.
  var isElementwise: Bool { members.count == 1 && members[0].tiling.area == 1 }
}

extension FloatStorage {
  /// A copy, which outlives the storage.
  var array: [Float] { withExtendedLifetime(self) { Array(buffer) } }

  /// Only as long as the storage lives.
  var buffer: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  /// The place of the largest magnitude.
  var largest: Int { buffer.indices.max { abs(buffer[$0]) < abs(buffer[$1]) } ?? 0 }
}
