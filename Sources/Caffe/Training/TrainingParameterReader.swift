import IR

/// Reads what training does with the learned arrays of a layer.
struct TrainingParameterReader {
  let layer: LayerDefinition
  let dialect: TrainingDialect
  let solver: SolverSettings

  /// One parameter for each slot of the layer's operation.
  func parameters(for slots: [ParameterSlot], of operation: Operation) throws(Diagnostic)
    -> [TrainingParameter]
  {
    let specs = layer.message.messages("param")
    let sparsity = SparsityReader(layer: layer, dialect: dialect, solver: solver)
    guard specs.count <= slots.count + sparsity.masks else {
      throw layer.refusal(
        "\(specs.count) param entries for \(slots.count) \(slots.count == 1 ? "blob" : "blobs")",
        at: "param")
    }
    let isStatistic = if case .batchNorm = operation { true } else { false }
    var result: [TrainingParameter] = []
    for (index, slot) in slots.enumerated() {
      var parameter = TrainingParameter(
        slot: slot, filler: try filler(for: slot, of: operation))
      let spec = index < specs.count ? specs[index] : nil
      if let spec { try read(spec, into: &parameter) }
      parameter.sparsity = try sparsity.fields(for: slot, spec)
      try check(parameter.regularization ?? solver.regularization, fits: slot, spec)
      if isStatistic {
        // Caffe does not let the solver touch them.
        guard index >= specs.count || specs[index].float("lr_mult") == 0 else {
          throw layer.refusal(
            "lr_mult of a statistic; BatchNorm gathers them itself, give lr_mult: 0", at: "lr_mult",
            of: specs[index])
        }
        parameter.rateFactor = 0
      }
      result.append(parameter)
    }
    return result
  }

  private func read(_ spec: TextMessage, into parameter: inout TrainingParameter)
    throws(Diagnostic)
  {
    parameter.sharedName = spec.string("name")
    parameter.sharesByCount = spec.enumName("share_mode") == "PERMISSIVE"
    parameter.rateFactor = try finite("lr_mult", spec)
    parameter.decayFactor = try finite("decay_mult", spec)
    let type = spec.string("regularization_type")
    if !type.isEmpty {
      parameter.regularization = try Regularization.named(
        type, at: spec.location(of: "regularization_type"))
    }
  }

  /// What acts in the Winograd domain needs kernels that have one.
  private func check(_ kind: Regularization, fits slot: ParameterSlot, _ spec: TextMessage?)
    throws(Diagnostic)
  {
    guard kind == .l1Winograd else { return }
    let shape = slot.shape
    guard shape.axes == 4, shape[2] == shape[3], shape[2] == 3 || shape[2] == 5 else {
      throw layer.refusal(
        "regularization_type \"L1_Winograd\" is for kernels of 3x3 and 5x5, not for \(slot.name) of "
          + "shape \(shape); give it to the param of such weights only",
        at: spec == nil ? nil : "regularization_type", of: spec)
    }
  }

  private func finite(_ name: String, _ spec: TextMessage) throws(Diagnostic) -> Float {
    let value = spec.float(name)
    guard value.isFinite else {
      throw layer.refusal("\(name) is \(value)", at: name, of: spec)
    }
    return value
  }

  /// How an array starts, with Caffe's defaults.
  private func filler(for slot: ParameterSlot, of operation: Operation) throws(Diagnostic)
    -> Filler
  {
    let filler: Filler
    switch operation {
    case .convolution, .deconvolution: filler = try weightsOrBias(slot, "convolution_param")
    case .innerProduct: filler = try weightsOrBias(slot, "inner_product_param")
    case .embed: filler = try weightsOrBias(slot, "embed_param")
    case .scale:
      let parameters = layer.message.message("scale_param")
      filler =
        slot.name == "bias"
        ? try FillerReader.filler(
          "bias_filler", of: parameters, in: layer,
          otherwise: .constant(dialect == .dnsAgain ? 1 : 0))
        : try FillerReader.filler("filler", of: parameters, in: layer, otherwise: .constant(1))
    case .bias:
      filler = try FillerReader.filler(
        "filler", of: layer.message.message("bias_param"), in: layer)
    case .preLU:
      filler = try FillerReader.filler(
        "filler", of: layer.message.message("prelu_param"), in: layer, otherwise: .constant(0.25))
    default: filler = .constant(0)
    }
    try check(filler, fits: slot)
    return filler
  }

  private func weightsOrBias(_ slot: ParameterSlot, _ parameters: String) throws(Diagnostic)
    -> Filler
  {
    try FillerReader.filler(
      slot.name == "bias" ? "bias_filler" : "weight_filler",
      of: layer.message.message(parameters), in: layer)
  }

  private func check(_ filler: Filler, fits slot: ParameterSlot) throws(Diagnostic) {
    guard filler == .bilinear else { return }
    let shape = slot.shape
    guard shape.axes == 4, shape[2] == shape[3] else {
      throw layer.refusal("the bilinear filler is for square kernels, not for shape \(shape)")
    }
  }
}

/// The arrays that layers of a net share by name.
struct SharedParameters {
  private struct Owner {
    var layer: Int
    var index: Int
    var title: String
    /// The multipliers that somebody gave.
    var given: [String: TextMessage.Value]
  }

  private var owners: [String: Owner] = [:]
  private var users: [(name: String, layer: Int, index: Int)] = []

  /// Notes the shared arrays of the layer that comes at `position`.
  ///
  /// - Throws: a shape or a multiplier that differs from the owner's.
  mutating func note(
    _ parameters: [TrainingParameter], of layer: LayerDefinition, at position: Int,
    among layers: [TrainingLayer]
  ) throws(Diagnostic) {
    let specs = layer.message.messages("param")
    for (index, parameter) in parameters.enumerated() where !parameter.sharedName.isEmpty {
      let (name, spec) = (parameter.sharedName, specs[index])
      users.append((name, position, index))
      let given = Self.given(in: spec)
      guard var owner = owners[name] else {
        owners[name] = Owner(layer: position, index: index, title: layer.name, given: given)
        continue
      }
      // A layer may share with itself; its own arrays are not among `layers` yet.
      let first =
        owner.layer == position
        ? parameters[owner.index] : layers[owner.layer].parameters[owner.index]
      let (a, b) = (first.slot.shape, parameter.slot.shape)
      let title = "the shared parameter \(Spelling.quoted(name))"
      guard parameter.sharesByCount ? a.count == b.count : a == b else {
        throw layer.refusal(
          "\(title) has shape \(a) in layer \(Spelling.quoted(owner.title)), here \(b)", of: spec)
      }
      for (field, value) in given.sorted(by: { $0.key < $1.key }) {
        let other = owner.given.updateValue(value, forKey: field)
        guard other == nil || other == value else {
          throw layer.refusal(
            "\(title) has another \(field) elsewhere; give it once", at: field, of: spec)
        }
      }
      owners[name] = owner
    }
  }

  private static func given(in spec: TextMessage) -> [String: TextMessage.Value] {
    var given: [String: TextMessage.Value] = [:]
    for field in ["lr_mult", "decay_mult", "regularization_type"] where spec.has(field) {
      given[field] = spec.value(field)
    }
    return given
  }

  /// Gives every user of a shared array the multipliers that any of them has.
  func settle(_ layers: inout [TrainingLayer]) {
    for user in users {
      guard let given = owners[user.name]?.given else { continue }
      for (field, value) in given {
        switch (field, value) {
        case ("lr_mult", .float(let factor)):
          layers[user.layer].parameters[user.index].rateFactor = factor
        case ("decay_mult", .float(let factor)):
          layers[user.layer].parameters[user.index].decayFactor = factor
        case (_, .string(let type)):
          layers[user.layer].parameters[user.index].regularization = Regularization(
            rawValue: type)
        default: break
        }
      }
    }
  }
}
