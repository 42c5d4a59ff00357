import IR

/// Where layers get their learned arrays from: files, the prototxt itself, and other layers.
struct ParameterSource {
  /// An array that layers share by the name in their `param`.
  private struct Shared {
    var owner: String
    var tensor: Tensor
    var isLoaded: Bool
    var multipliers: [String: Float]
    var users: [(node: NodeID, slot: Int)] = []
  }

  private var files: [String: (blobs: LayerBlobs, file: String)] = [:]
  private var fileOrder: [String] = []
  private let hasFiles: Bool
  private var shared: [String: Shared] = [:]
  private var layersWithParameters: Set<String> = []
  private var elements = 0
  /// Layers that found nothing, with the error that it is, unless others share with them.
  private var missing: [(layer: String, waitsFor: [String], error: Diagnostic)] = []

  init(_ weights: [NetReader.Weights]) {
    hasFiles = !weights.isEmpty
    for (caffemodel, file) in weights.map({ ($0.caffemodel, $0.file) }) {
      for layer in caffemodel.layers where !layer.blobs.isEmpty {
        if files.updateValue((layer, file), forKey: layer.name) == nil {
          fileOrder.append(layer.name)
        }
      }
    }
  }

  /// The arrays of a layer, one per slot.
  ///
  /// - Throws: if the file's blobs do not fit, or nobody has them.
  mutating func tensors(
    for slots: [ParameterSlot], of layer: LayerDefinition, options: NetReader.Options,
    findings: inout [Diagnostic]
  ) throws(Diagnostic) -> [Tensor] {
    let specs = layer.message.messages("param")
    try check(specs, slots: slots.count, of: layer)
    guard !slots.isEmpty else { return [] }
    guard layersWithParameters.insert(layer.name).inserted else {
      throw layer.refusal(
        "two layers of this name, so that their weights cannot be told apart", at: "name")
    }
    elements += slots.reduce(0) { $0 + $1.shape.count }
    guard elements <= options.maximumParameters else {
      throw layer.refusal(
        "with it the net has \(elements) weights; at most \(options.maximumParameters) are "
          + "possible")
    }
    let names = slots.indices.map { $0 < specs.count ? specs[$0].string("name") : "" }
    let loaded = try loadedTensors(for: slots, of: layer, findings: &findings)
    if loaded == nil, !names.allSatisfy({ shared[$0]?.isLoaded == true }) {
      let error = absence(of: layer)
      let isShared = names.contains { !$0.isEmpty }
      guard options.weightsOptional || isShared else { throw error }
      missing.append((layer.name, names, error))
    }
    var tensors: [Tensor] = []
    for (index, slot) in slots.enumerated() {
      let own = loaded?[index]
      if names[index].isEmpty {
        tensors.append(own ?? Tensor(shape: slot.shape, repeating: 0))
      } else {
        tensors.append(try share(own, slot, spec: specs[index], of: layer))
      }
    }
    return tensors
  }

  /// A Winograd layer whose weights came as kernels is a convolution like any other: all kernels in the compiler's sense
  /// can do that. Only transforms have to stay what they are.
  func inDomainOfFile(_ operation: Operation, of layer: LayerDefinition, reading inputs: [Shape])
    throws(ShapeError) -> Operation
  {
    guard case .convolution(var convolution) = operation, convolution.isInWinogradDomain else {
      return operation
    }
    let weights = try convolution.parameters(for: inputs)[0].shape
    if let stored = files[layer.name]?.blobs.blobs.first?.shape,
      WinogradDomain.isStored(stored, of: weights)
    {
      return operation
    }
    convolution.isInWinogradDomain = false
    return .convolution(convolution)
  }

  /// Remembers which node took a layer's arrays, in case a later layer brings shared ones.
  mutating func note(_ node: NodeID, of layer: LayerDefinition) {
    for (slot, spec) in layer.message.messages("param").enumerated() {
      shared[spec.string("name")]?.users.append((node, slot))
    }
  }

  /// Hands shared arrays that came late to the layers before.
  ///
  /// - Returns: the names of layers that are left with zeros.
  /// - Throws: for the first of them, unless zeros are allowed.
  func settle(in graph: inout Graph, isOptional: Bool) throws(Diagnostic) -> [String] {
    for array in shared.values {
      for (node, slot) in array.users where slot < graph[node].parameters.count {
        let shape = graph[node].parameters[slot].shape
        graph.update(node) { $0.parameters[slot] = array.tensor.reshaped(to: shape) }
      }
    }
    let left = missing.filter { entry in
      !entry.waitsFor.allSatisfy { shared[$0]?.isLoaded == true }
    }
    if let first = left.first, !isOptional { throw first.error }
    return left.map(\.layer)
  }

  /// A note about layers of the files that the net does not have.
  func unusedLayers(besides names: Set<String>) -> [Diagnostic] {
    let unused = fileOrder.filter { !names.contains($0) }
    guard let first = unused.first, let file = files[first]?.file else { return [] }
    let shown = Spelling.shown(unused.prefix(8).joined(separator: ", "), atMost: 300)
    let rest = unused.count > 8 ? " and \(unused.count - 8) more" : ""
    return [
      Diagnostic(.note, "layers that the net does not have: \(shown)\(rest)", file: file)
    ]
  }
}

extension ParameterSource {
  /// Caffe allows a `param` for each blob; forks that prune have masks behind them.
  private func check(_ specs: [TextMessage], slots: Int, of layer: LayerDefinition)
    throws(Diagnostic)
  {
    let masks: Int
    switch layer.type {
    case "CConvolution", "CInnerProduct": masks = 2
    case "Convolution", "InnerProduct": masks = 1
    default: masks = 0
    }
    guard specs.count <= slots + masks else {
      throw layer.refusal(
        "\(specs.count) param entries for \(slots) \(slots == 1 ? "blob" : "blobs")", at: "param")
    }
  }

  /// What the files say, or else the `blobs` that the prototxt gives itself.
  private func loadedTensors(
    for slots: [ParameterSlot], of layer: LayerDefinition, findings: inout [Diagnostic]
  ) throws(Diagnostic) -> [Tensor]? {
    let source: LayerBlobs
    let file: String
    if let found = files[layer.name] {
      source = found.blobs
      file = found.file
    } else if layer.message.has("blobs") {
      source = LayerBlobs(
        name: layer.name, type: layer.type, blobs: try layer.message.writtenBlobs(of: layer))
      file = layer.message.file
    } else {
      return nil
    }
    let (tensors, notes) = try source.matched(to: slots, file: file)
    findings += notes
    return tensors
  }

  private func absence(of layer: LayerDefinition) -> Diagnostic {
    guard hasFiles else {
      return layer.refusal("its weights are missing; give the caffemodel that has them")
    }
    return layer.refusal(
      "no caffemodel has weights for it, by this name"
        + Spelling.hint(for: layer.name, among: fileOrder))
  }

  /// The array that all layers with this `param` name use; the first of them owns it.
  private mutating func share(
    _ own: Tensor?, _ slot: ParameterSlot, spec: TextMessage, of layer: LayerDefinition
  ) throws(Diagnostic) -> Tensor {
    let name = spec.string("name")
    var given: [String: Float] = [:]
    for multiplier in ["lr_mult", "decay_mult"] where spec.has(multiplier) {
      given[multiplier] = spec.float(multiplier)
    }
    guard var array = shared[name] else {
      let tensor = own ?? Tensor(shape: slot.shape, repeating: 0)
      shared[name] = Shared(
        owner: layer.name, tensor: tensor, isLoaded: own != nil, multipliers: given)
      return tensor
    }
    let title = "the shared parameter \(Spelling.quoted(name))"
    let isPermissive = spec.enumName("share_mode") == "PERMISSIVE"
    guard isPermissive ? array.tensor.count == slot.shape.count : array.tensor.shape == slot.shape
    else {
      throw layer.refusal(
        "\(title) has shape \(array.tensor.shape) in layer \(Spelling.quoted(array.owner)), "
          + "here \(slot.shape)", of: spec)
    }
    for (multiplier, value) in given.sorted(by: { $0.key < $1.key }) {
      let other = array.multipliers.updateValue(value, forKey: multiplier)
      guard other == nil || other == value else {
        throw layer.refusal(
          "\(title) has another \(multiplier) elsewhere; give it once", at: multiplier, of: spec)
      }
    }
    if let own {
      guard !array.isLoaded || array.tensor.values == own.values else {
        throw layer.refusal(
          "\(title) has other values than in layer \(Spelling.quoted(array.owner))", of: spec)
      }
      array.tensor = own.reshaped(to: array.tensor.shape)
      array.isLoaded = true
    }
    shared[name] = array
    return array.tensor.reshaped(to: slot.shape)
  }
}

extension TextMessage {
  /// The `blobs` of a layer, as a caffemodel would hold them.
  fileprivate func writtenBlobs(of layer: LayerDefinition) throws(Diagnostic) -> [Blob] {
    var blobs: [Blob] = []
    for blob in messages("blobs") {
      let legacy = ["num", "channels", "height", "width"]
      let isLegacy = legacy.contains { blob.has($0) }
      let extents =
        isLegacy ? legacy.map { blob.integer($0) } : blob.message("shape").integers("dim")
      let values =
        blob.has("double_data")
        ? blob.doubles("double_data").map { Float($0) } : blob.floats("data")
      let shape = try layer.fitting(of: blob) { () throws(ShapeError) in
        let shape = try Shape(extents)
        guard values.count == shape.count else {
          throw ShapeError("shape \(shape) needs \(shape.count) values, there are \(values.count)")
        }
        return shape
      }
      blobs.append(Blob(Tensor(shape: shape, values: values), isLegacy: isLegacy))
    }
    return blobs
  }
}
