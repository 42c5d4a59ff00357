import IR

extension TrainedNet {
  /// Gives parameters the values of a file's layers, by layer name; other layers keep theirs.
  ///
  /// - Parameters:
  ///   - layers: the file's layers; those that the net does not have are left alone.
  ///   - definition: the net's definition.
  ///   - file: the name that messages give the file.
  /// - Returns: for each parameter its mask in the file, nil if there is none.
  /// - Throws: which array does not fit.
  @discardableResult
  public func load(_ layers: [Snapshot.Layer], definition: TrainingNet, file: String)
    throws(Diagnostic) -> [[Bool]?]
  {
    let parameters = parameters
    var masks = [[Bool]?](repeating: nil, count: parameters.count)
    let learned = LearnedLayers(definition, parameters)
    for (layer, places) in zip(definition.layers, learned.places) where !places.isEmpty {
      guard let source = layers.last(where: { $0.name == layer.name }), !source.arrays.isEmpty
      else { continue }
      guard source.arrays.count == places.count else {
        throw .error(
          "\(layer.title) has \(places.count) arrays, the file \(source.arrays.count): it is from "
            + "another net", file: file)
      }
      for (index, place) in places.enumerated() {
        let array = source.arrays[index]
        let expected = layer.parameters[index].slot
        guard array.tensor.shape == expected.shape else {
          throw .error(
            "\(layer.title): its \(expected.name) have shape \(expected.shape), in the file "
              + "\(array.tensor.shape): it is from another net", file: file)
        }
        parameters[place].fill(with: array.tensor)
        if let mask = array.mask { masks[place] = mask }
      }
    }
    return masks
  }
}

extension Parameter {
  /// - Precondition: `tensor` has as many elements.
  func fill(with tensor: Tensor) {
    precondition(tensor.count == count, "a parameter keeps its size")
    _ = values.update(fromContentsOf: tensor.values)
  }
}

/// A snapshot on its way into a trainer.
struct SnapshotRestorer {
  let trainer: Trainer
  let snapshot: Snapshot
  let file: String

  /// Checks everything before it changes anything but learned values.
  func restore() throws(Diagnostic) {
    let solver = trainer.solver
    try requireAllLayers()
    try requireHistory()
    let masks = try trainer.net.load(
      snapshot.layers, definition: trainer.definition, file: file)
    try restoreDenseArrays()
    for (index, (array, tensor)) in zip(solver.memory.arrays, snapshot.history).enumerated() {
      let slot = solver.parameters[index % solver.parameters.count].settings.slot
      _ = array.update(fromContentsOf: slot.exchanged(tensor).values)
    }
    solver.iteration = snapshot.iteration
    solver.currentStep = snapshot.currentStep
    solver.rateScale = snapshot.rateScale
    for (prefix, net) in trainer.namedNets {
      var states: [String: [UInt8]] = [:]
      for (name, state) in snapshot.netState where name.hasPrefix("\(prefix)/") {
        states[String(name.dropFirst(prefix.count + 1))] = state
      }
      try net.restore(states)
    }
    try addMethods(masks)
    for sparsifier in solver.sparsifiers {
      guard let state = snapshot.methodState[sparsifier.name] else { continue }
      try sparsifier.restore(state, masks: masks)
    }
  }

  /// Zeros that a run kept are kept by the next; any other method has to be asked for again.
  private func addMethods(_ masks: [[Bool]?]) throws(Diagnostic) {
    let solver = trainer.solver
    let present = Set(solver.sparsifiers.map(\.name))
    for name in snapshot.methodState.keys.sorted() where !present.contains(name) {
      guard name == FixedMasks.name else {
        throw .error("was trained with \(name), which this run does not use", file: file)
      }
      solver.add(FixedMasks(masks, of: solver.parameters))
    }
    // Snapshots of Caffe's forks do not keep what connectivity_mode freezes; it is found again, as they do.
    if snapshot.methodState[FixedMasks.name] == nil {
      trainer.fix(trainer.connectivity(to: snapshot.layers))
    }
  }

  private func requireAllLayers() throws(Diagnostic) {
    for layer in trainer.definition.layers where !layer.parameters.isEmpty {
      guard snapshot.layers.contains(where: { $0.name == layer.name && !$0.arrays.isEmpty })
      else {
        throw .error(
          "has nothing for \(layer.title): it is a snapshot of another net", file: file)
      }
    }
  }

  private func requireHistory() throws(Diagnostic) {
    let parameters = trainer.solver.parameters
    let expected = trainer.solver.memory.arrays.count
    guard snapshot.history.count == expected else {
      throw .error(
        "holds \(snapshot.history.count) history arrays where "
          + "\(trainer.settings.rule.name) keeps \(expected) for this net: it is a snapshot of "
          + "another net or solver type", file: file)
    }
    for (index, tensor) in snapshot.history.enumerated() {
      let parameter = parameters[index % parameters.count]
      let expected = parameter.settings.slot.storedShape
      guard Self.isSame(tensor.shape, expected) else {
        throw .error(
          "history array \(index) has shape \(tensor.shape), array \(parameter.index) of layer "
            + "\"\(parameter.layer)\" \(expected): it is a snapshot of another net",
          file: file)
      }
    }
  }

  /// Old files have four axes for every array.
  private static func isSame(_ stored: Shape, _ expected: Shape) -> Bool {
    stored.extents.drop { $0 == 1 } == expected.extents.drop { $0 == 1 }
  }

  private func restoreDenseArrays() throws(Diagnostic) {
    for dense in snapshot.denseArrays {
      guard
        let parameter = trainer.solver.parameters.first(where: {
          $0.layer == dense.layer && $0.index == dense.index
        }), parameter.count == dense.tensor.count
      else {
        throw .error(
          "holds dense weights of a layer \"\(dense.layer)\" that this net does not have",
          file: file)
      }
      parameter.fill(with: dense.tensor)
    }
  }
}
