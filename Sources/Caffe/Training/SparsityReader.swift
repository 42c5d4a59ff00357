import IR

/// Reads what the fields of Caffe's sparsifying forks say about a layer's learned arrays.
struct SparsityReader {
  let layer: LayerDefinition
  let dialect: TrainingDialect
  let solver: SolverSettings

  /// How many masks the layer keeps behind its own arrays, which may have `param` entries of their own.
  var masks: Int {
    switch layer.type {
    case "CConvolution", "CInnerProduct": 2
    default: surgeryParameters == nil ? 0 : 1
    }
  }

  /// - Throws: a field that would change training in a way that there is no method for.
  func requireKnownMethods() throws(Diagnostic) {
    let connectivity = layer.message.enumName("connectivity_mode")
    guard connectivity == "CONNECTED" || Self.hasConnectivity(layer.type) else {
      throw layer.refusal(
        "connectivity_mode \(connectivity) is for Convolution and InnerProduct",
        at: "connectivity_mode")
    }
    for spec in layer.message.messages("param")
    where spec.float("force_mult") != 0 && solver.forkFields.forceDecay != 0 {
      throw layer.refusal(
        "force regularisation is not supported; remove force_mult or the solver's force_decay",
        at: "force_mult", of: spec)
    }
  }

  /// What the layer says about one of its arrays.
  ///
  /// - Parameter spec: the array's `param`, if it has one.
  func fields(for slot: ParameterSlot, _ spec: TextMessage?) throws(Diagnostic) -> SparsityFields {
    var fields = SparsityFields()
    if let spec {
      fields.rowFactor = try finite("breadth_decay_mult", spec)
      fields.columnFactor = try finite("kernel_shape_decay_mult", spec)
      for block in spec.messages("block_group_lasso") {
        fields.blocks.append(try self.block(block, fits: slot))
      }
      let file = spec.string("decay_proto")
      if !file.isEmpty { fields.decayFactors = try decayFactors(file, slot, spec) }
    }
    if slot.name == "weights", Self.hasConnectivity(layer.type) {
      fields.connectivity =
        Connectivity(rawValue: layer.message.enumName("connectivity_mode")) ?? .connected
    }
    fields.surgery = try surgery(of: slot)
    return fields
  }

  private static func hasConnectivity(_ type: String) -> Bool {
    type == "Convolution" || type == "InnerProduct"
  }

  private func finite(_ name: String, _ message: TextMessage) throws(Diagnostic) -> Float {
    let value = message.float(name)
    guard value.isFinite else { throw layer.refusal("\(name) is \(value)", at: name, of: message) }
    return value
  }

  // MARK: - Group lasso

  private func block(_ message: TextMessage, fits slot: ParameterSlot) throws(Diagnostic)
    -> SparsityFields.Block
  {
    let block = SparsityFields.Block(
      width: message.integer("xdimen"), height: message.integer("ydimen"),
      factor: try finite("block_decay_mult", message))
    let rows = slot.shape.axes == 0 ? 1 : slot.shape[0]
    let columns = slot.shape.count / max(rows, 1)
    guard block.width > 0, block.height > 0, columns % block.width == 0, rows % block.height == 0
    else {
      throw layer.refusal(
        "block_group_lasso: tiles of \(block.height) rows and \(block.width) columns do not divide "
          + "the \(slot.name), which have \(rows) rows and \(columns) columns", of: message)
    }
    return block
  }

  /// A file with one factor for each weight.
  private func decayFactors(_ file: String, _ slot: ParameterSlot, _ spec: TextMessage)
    throws(Diagnostic) -> Tensor
  {
    let tensor: Tensor
    do throws(Diagnostic) {
      tensor = try MeanFile.read(contentsOf: file)
    } catch {
      throw layer.refusal("decay_proto: \(error.message)", at: "decay_proto", of: spec)
    }
    guard tensor.count == slot.shape.count else {
      throw layer.refusal(
        "decay_proto: \(Spelling.quoted(file)) has \(tensor.count) factors for \(slot.shape.count) "
          + slot.name, at: "decay_proto", of: spec)
    }
    return tensor.reshaped(to: slot.shape)
  }

  // MARK: - Network surgery

  private func surgery(of slot: ParameterSlot) throws(Diagnostic) -> Surgery? {
    switch layer.type {
    case "CConvolution": return try original("cconvolution_param")
    case "CInnerProduct": return try original("cinner_product_param")
    default:
      guard slot.name == "weights", let parameters = surgeryParameters else { return nil }
      let threshold = parameters.field.float("threshold")
      guard threshold.isFinite, threshold >= 0 else {
        throw layer.refusal(
          "threshold is \(threshold); it must be at least 0", at: "threshold",
          of: parameters.field)
      }
      return .reimplemented(threshold: threshold)
    }
  }

  /// Where the reimplementation of network surgery finds its fields, if it masks the layer: every Convolution and
  /// InnerProduct of that dialect, unless told otherwise.
  private var surgeryParameters: (name: String, field: TextMessage)? {
    guard dialect == .dnsAgain else { return nil }
    let fields = ["Convolution": "convolution_param", "InnerProduct": "inner_product_param"]
    guard let name = fields[layer.type] else { return nil }
    let field = layer.message.message(name)
    return field.bool("sparsity_term") ? (name, field) : nil
  }

  private func original(_ name: String) throws(Diagnostic) -> Surgery {
    let parameters = layer.message.message(name)
    for mask in ["weight_mask_filler", "bias_mask_filler"] where parameters.has(mask) {
      let filler = parameters.message(mask)
      guard filler.string("type") == "constant", filler.float("value") == 1 else {
        throw layer.refusal(
          "\(mask): masks must begin with the constant 1", at: mask, of: parameters)
      }
    }
    for field in ["gamma", "power", "iter_stop"] {
      guard try finite(field, parameters) >= 0 else {
        throw layer.refusal("\(field) must be at least 0", at: field, of: parameters)
      }
    }
    return .original(
      gamma: parameters.float("gamma"), power: parameters.float("power"),
      stop: parameters.float("iter_stop"), rate: try finite("c_rate", parameters))
  }
}
