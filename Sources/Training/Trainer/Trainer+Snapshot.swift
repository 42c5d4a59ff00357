import IR

extension Trainer {
  /// Everything that a later run needs to go on from here.
  ///
  /// - Throws: if a learned value is no finite number, since that is no state to go on from.
  public func snapshot() throws(Diagnostic) -> Snapshot {
    var snapshot = Snapshot(
      netName: definition.name, iteration: solver.iteration, currentStep: solver.currentStep)
    let parameters = solver.parameters
    var arrays: [Snapshot.LearnedArray] = []
    for (index, parameter) in parameters.enumerated() {
      let mask = solver.mask(of: index)
      let dense = Tensor(shape: parameter.shape, values: Array(parameter.values))
      guard dense.values.allSatisfy(\.isFinite) else {
        throw .error(
          "array \(parameter.index) of layer \"\(parameter.layer)\" has values that are no "
            + "finite numbers at iteration \(solver.iteration); training diverged")
      }
      try requireMasked(index)
      var array = Snapshot.LearnedArray(dense, mask: mask)
      if let mask, zip(dense.values, mask).contains(where: { $0 != 0 && !$1 }) {
        array.tensor = Tensor(
          shape: parameter.shape, values: zip(dense.values, mask).map { $1 ? $0 : 0 })
        snapshot.denseArrays.append(
          Snapshot.DenseArray(layer: parameter.layer, index: parameter.index, tensor: dense))
      }
      if settings.snapshotsGradients {
        array.gradient = Tensor(shape: parameter.shape, values: Array(parameter.gradient))
      }
      arrays.append(array)
    }
    snapshot.layers = LearnedLayers(definition, parameters).layers(of: arrays)
    snapshot.history = zip(solver.memory.arrays.indices, solver.memory.arrays).map { i, values in
      let slot = parameters[i % parameters.count].settings.slot
      return slot.exchanged(Tensor(shape: slot.shape, values: Array(values)))
    }
    snapshot.netState = netState
    snapshot.rateScale = solver.rateScale
    for sparsifier in solver.sparsifiers {
      snapshot.methodState[sparsifier.name] = sparsifier.state
    }
    return snapshot
  }

  /// Zeros that a method keeps are there; only methods that let dense weights live on have something behind masks.
  ///
  /// - Throws: where something filled them in.
  private func requireMasked(_ index: Int) throws(Diagnostic) {
    let parameter = solver.parameters[index]
    for sparsifier in solver.sparsifiers where !sparsifier.hidesDenseWeights {
      guard let mask = sparsifier.mask(of: index),
        let place = mask.indices.first(where: { !mask[$0] && parameter.values[$0] != 0 })
      else { continue }
      throw .error(
        "element \(place) of array \(parameter.index) of layer \"\(parameter.layer)\" is "
          + "\(parameter.values[place]) at iteration \(solver.iteration), where \(sparsifier.name) "
          + "keeps a zero: this is a fault of sparsec, please report it")
    }
  }

  /// The states of the net and its test nets, by net and layer.
  var netState: [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for (prefix, net) in namedNets {
      for (layer, state) in net.state { result["\(prefix)/\(layer)"] = state }
    }
    return result
  }

  /// The train net and the test nets, with the names of their states in snapshots.
  var namedNets: [(prefix: String, net: any TrainedNet)] {
    [("train", net)] + testNets.enumerated().map { ("test \($0)", $1) }
  }
}

/// Which of the parameters each layer of a net uses: its own, or those that it shares.
struct LearnedLayers {
  let definition: TrainingNet
  /// For every layer the places of its arrays among the parameters.
  let places: [[Int]]
  private let owners: [(layer: String, index: Int)]

  init(_ definition: TrainingNet, _ parameters: [Parameter]) {
    self.definition = definition
    owners = parameters.map { ($0.layer, $0.index) }
    var own: [String: [Int: Int]] = [:]
    for (place, parameter) in parameters.enumerated() {
      own[parameter.layer, default: [:]][parameter.index] = place
    }
    var shared: [String: Int] = [:]
    var places: [[Int]] = []
    for layer in definition.layers {
      var row: [Int] = []
      for (index, settings) in layer.parameters.enumerated() {
        let name = settings.sharedName
        guard let place = (name.isEmpty ? nil : shared[name]) ?? own[layer.name]?[index] else {
          preconditionFailure("\(layer.title) has no parameter \(index)")
        }
        if !name.isEmpty { shared[name] = place }
        row.append(place)
      }
      places.append(row)
    }
    self.places = places
  }

  /// The layers with their arrays, of one array per parameter.
  func layers(of arrays: [Snapshot.LearnedArray]) -> [Snapshot.Layer] {
    zip(definition.layers, places).map { layer, row in
      let own = row.enumerated().map { index, place in
        var array = arrays[place]
        let shape = layer.parameters[index].slot.shape
        array.isShared = owners[place] != (layer.name, index)
        if array.tensor.shape != shape {
          array.tensor = array.tensor.reshaped(to: shape)
          array.gradient = array.gradient?.reshaped(to: shape)
        }
        return array
      }
      return Snapshot.Layer(name: layer.name, type: layer.typeName, arrays: own)
    }
  }
}
