import IR

/// Turns the definition of a net into what is trained or tested.
public enum TrainingNetReader {
  /// The net for one state, with all shapes known.
  ///
  /// - Parameters:
  ///   - prototxt: a net of any generation of the format.
  ///   - state: decides which layers take part.
  ///   - dialect: whose rules apply where forks of Caffe differ.
  ///   - solver: the settings that the net is trained by, which tell whether a fork's field acts.
  ///   - shapes: the shapes of the tops of a data layer, which only its source knows; one more than there are
  ///     tops is allowed, as for labels that the net does not want. The layer's name and place come along. Asked of
  ///     databases, image lists and HDF5 files only.
  /// - Throws: the first thing that does not fit, at the layer's place in its file.
  public static func read(
    _ prototxt: Prototxt, state: NetState, dialect: TrainingDialect,
    solver: SolverSettings = SolverSettings(),
    shapes: (DataSource, String, SourceLocation?) throws(Diagnostic) -> [Shape]
  ) throws(Diagnostic) -> TrainingNet {
    guard prototxt.kind == .net else {
      throw .error("this is a solver, not a net", file: prototxt.message.file)
    }
    let current = try Upgrade.net(prototxt.message)
    let layers = try current.layers(in: state)
    guard !layers.isEmpty else {
      throw .error(
        "no layer takes part in phase \(state.phase.rawValue)", file: prototxt.message.file)
    }
    var lowering = TrainingLowering(
      state: state, dialect: dialect, solver: solver, allLayers: current.messages("layer"))
    for layer in layers { try lowering.lower(layer, shapes: shapes) }
    return TrainingNet(
      name: current.string("name"), phase: state.phase == .train ? .train : .test,
      layers: lowering.finished(), forcesBackward: current.bool("force_backward"),
      debugInfo: current.bool("debug_info"))
  }
}

/// The state of `TrainingNetReader.read`: the layers so far, and the shape of every blob.
struct TrainingLowering {
  let state: NetState
  let dialect: TrainingDialect
  let solver: SolverSettings
  let allLayers: [TextMessage]

  private var layers: [TrainingLayer] = []
  private var blobs: [String: (shape: Shape, maker: String)] = [:]
  private var shared = SharedParameters()
  private var layersWithParameters: Set<String> = []
  private var parameterElements = 0
  private var blobElements = 0

  init(
    state: NetState, dialect: TrainingDialect, solver: SolverSettings, allLayers: [TextMessage]
  ) {
    self.state = state
    self.dialect = dialect
    self.solver = solver
    self.allLayers = allLayers
  }

  /// The layers, with what sharers say about arrays settled.
  func finished() -> [TrainingLayer] {
    var layers = layers
    shared.settle(&layers)
    return layers
  }

  /// Adds one layer.
  mutating func lower(
    _ message: TextMessage,
    shapes: (DataSource, String, SourceLocation?) throws(Diagnostic) -> [Shape]
  ) throws(Diagnostic) {
    let type = try LayerReaders.type(of: message)
    var layer = LayerDefinition(message: message, inputShapes: [], state: state)
    try layer.checkCounts(type)
    try SparsityReader(layer: layer, dialect: dialect, solver: solver).requireKnownMethods()
    layer.inputShapes = try inputShapes(of: layer)
    switch type.role {
    case .refused(let reason):
      throw layer.refusal(
        layer.type == "Python" ? "layers in Python are not run" : reason, at: "type")
    case .data: try addData(layer, shapes)
    case .trainingOnly:
      let (operation, outputs) = try LossReader(layer: layer, dialect: dialect).read()
      var tops = layer.tops
      if tops.isEmpty { tops = [TrainingLayer.automaticTop(of: layer.name)] }
      try append(layer, operation, tops: tops, outputs: Array(outputs.prefix(tops.count)))
    case .computed(let read):
      try addChain(layer, try read(layer))
    case .computedPerBottom(let read):
      guard layer.inputShapes.allSatisfy({ $0 == layer.inputShapes[0] }) else {
        throw layer.refusal("its bottoms have different shapes", at: "bottom")
      }
      let operations = try read(layer)
      if layer.bottoms.count == 1 { return try addChain(layer, operations) }
      guard operations.count == 1 else {
        throw layer.refusal("a fused layer is trained with one bottom only", at: "bottom")
      }
      try addPerBottom(layer, operations[0])
    }
  }

  // MARK: - Blobs

  private func inputShapes(of layer: LayerDefinition) throws(Diagnostic) -> [Shape] {
    var shapes: [Shape] = []
    for (index, bottom) in layer.bottoms.enumerated() {
      guard let blob = blobs[bottom] else {
        throw .error(
          "\(layer.title) reads blob \(Spelling.quoted(bottom)), which no earlier layer makes"
            + layer.explanation(of: bottom, among: blobs.keys, allLayers: allLayers),
          at: layer.message.location(of: "bottom", index: index))
      }
      shapes.append(blob.shape)
    }
    return shapes
  }

  /// A layer may reuse only the name of the bottom in the same place, which is how layers work in place.
  private mutating func define(
    _ name: String, _ index: Int, as shape: Shape, of layer: LayerDefinition
  ) throws(Diagnostic) {
    let bottoms = layer.bottoms
    let isInPlace = index < bottoms.count && bottoms[index] == name
    if !isInPlace, let other = blobs[name] {
      throw .error(
        "\(layer.title) makes blob \(Spelling.quoted(name)), which layer "
          + "\(Spelling.quoted(other.maker)) makes already; give one of them another name",
        at: layer.message.location(of: "top", index: index))
    }
    blobs[name] = (shape, layer.name)
    blobElements += shape.count
    guard blobElements <= NetReader.maximumBlobElements else {
      throw layer.refusal(
        "with it the net's blobs have \(blobElements) elements; at most "
          + "\(NetReader.maximumBlobElements) are possible")
    }
  }

  // MARK: - Layers

  private mutating func addData(
    _ layer: LayerDefinition,
    _ shapes: (DataSource, String, SourceLocation?) throws(Diagnostic) -> [Shape]
  ) throws(Diagnostic) {
    let source = try DataSourceReader(layer: layer).source()
    let outputs: [Shape]
    switch source {
    case .input(let known), .dummy(let known, _): outputs = known
    case .memory(let data, let label, _): outputs = [data, label]
    case .database, .images, .hdf5: outputs = try shapes(source, layer.name, layer.message.location)
    }
    guard outputs.count >= layer.tops.count else {
      throw layer.refusal(
        "its data has \(outputs.count) parts for \(layer.tops.count) tops", at: "top")
    }
    try append(
      layer, .data(source), tops: layer.tops, outputs: Array(outputs.prefix(layer.tops.count)))
  }

  private mutating func addPerBottom(_ layer: LayerDefinition, _ operation: Operation)
    throws(Diagnostic)
  {
    let one = [layer.inputShapes[0]]
    let (output, slots) = try layer.fitting { () throws(ShapeError) in
      (try operation.layer.outputShapes(for: one)[0], try operation.layer.parameters(for: one))
    }
    let parameters = try TrainingParameterReader(layer: layer, dialect: dialect, solver: solver)
      .parameters(for: slots, of: operation)
    try append(
      layer, .operationPerBottom(operation), tops: layer.tops,
      outputs: layer.tops.map { _ in output }, parameters: parameters)
  }

  /// The operations of a layer, one behind the other; more than one for SkimCaffe's fused layers, whose parts
  /// become layers of their own.
  private mutating func addChain(_ layer: LayerDefinition, _ chain: [Operation])
    throws(Diagnostic)
  {
    let operations = chain.flatMap(Self.parted)
    var part = layer
    for (position, operation) in operations.enumerated() {
      let isLast = position == operations.count - 1
      let shapes = part.inputShapes
      let (outputs, slots) = try layer.fitting { () throws(ShapeError) in
        guard operation.layer.inputCounts.contains(shapes.count) else {
          throw ShapeError("\(shapes.count) bottoms where it takes \(operation.layer.inputCounts)")
        }
        return (
          try operation.layer.outputShapes(for: shapes), try operation.layer.parameters(for: shapes)
        )
      }
      let parameters = try TrainingParameterReader(layer: layer, dialect: dialect, solver: solver)
        .parameters(for: slots, of: operation)
      let tops = isLast ? layer.tops : ["\(layer.name)/\(operation.layer.typeName)"]
      guard outputs.count == tops.count else {
        throw layer.refusal("\(tops.count) tops where it makes \(outputs.count) blobs", at: "top")
      }
      try append(
        part, training(operation, of: layer), tops: tops, outputs: outputs,
        parameters: parameters,
        typeName: operations.count > 1 ? operation.layer.typeName : layer.type)
      if !isLast { part = following(part, tops[0], outputs, operations[position + 1], layer) }
    }
  }

  /// What the next part of a fused layer is called and reads.
  private func following(
    _ part: LayerDefinition, _ blob: String, _ shapes: [Shape], _ next: Operation,
    _ layer: LayerDefinition
  ) -> LayerDefinition {
    var message = TextMessage(
      type: layer.message.type, file: layer.message.file, position: layer.message.position)
    message.append("name", .string("\(layer.name)/\(next.layer.typeName)"))
    message.append("type", .string(next.layer.typeName))
    message.append("bottom", .string(blob))
    return LayerDefinition(message: message, inputShapes: shapes, state: state)
  }

  /// Pooling that starts at 0 is a ReLU and a pooling, whose gradients are known.
  private static func parted(_ operation: Operation) -> [Operation] {
    guard case .pooling(var pooling) = operation, pooling.startsAtZero else { return [operation] }
    pooling.startsAtZero = false
    return [.elementwise(Elementwise(.relu(slope: 0))), .pooling(pooling)]
  }

  /// The operation as training knows it.
  private func training(_ operation: Operation, of layer: LayerDefinition) -> TrainingOperation {
    switch operation {
    case .batchNorm(let norm):
      let fraction = layer.message.message("batch_norm_param").float("moving_average_fraction")
      return .batchNorm(norm, fraction: fraction, usesStored: norm.usesStoredStatistics)
    case .identity where layer.type == "Dropout":
      return .dropout(ratio: layer.message.message("dropout_param").float("dropout_ratio"))
    case .pooling(let pooling) where pooling.reduction == .stochastic:
      return .stochasticPooling(pooling)
    default: return .operation(operation)
    }
  }

  private mutating func append(
    _ layer: LayerDefinition, _ operation: TrainingOperation, tops: [String], outputs: [Shape],
    parameters: [TrainingParameter] = [], typeName: String? = nil
  ) throws(Diagnostic) {
    try requireUnique(layer, parameters)
    for (index, top) in tops.enumerated() {
      try define(top, index, as: outputs[index], of: layer)
    }
    try shared.note(parameters, of: layer, at: layers.count, among: layers)
    layers.append(
      TrainingLayer(
        name: layer.name, typeName: typeName ?? layer.type, operation: operation,
        bottoms: layer.bottoms, tops: tops, inputShapes: layer.inputShapes,
        outputShapes: outputs, parameters: parameters,
        lossWeights: try lossWeights(of: layer, operation, tops: tops.count),
        propagatesDown: layer.message.has("propagate_down")
          ? layer.message.bools("propagate_down") : nil,
        location: layer.message.location))
  }

  private mutating func requireUnique(
    _ layer: LayerDefinition, _ parameters: [TrainingParameter]
  ) throws(Diagnostic) {
    guard !parameters.isEmpty else { return }
    guard layersWithParameters.insert(layer.name).inserted else {
      throw layer.refusal(
        "two layers of this name, so that their weights cannot be told apart", at: "name")
    }
    parameterElements += parameters.reduce(0) { $0 + $1.slot.shape.count }
    guard parameterElements <= NetReader.maximumParameters else {
      throw layer.refusal(
        "with it the net has \(parameterElements) weights; at most "
          + "\(NetReader.maximumParameters) are possible")
    }
  }

  /// Given once per top; else 1 for the first top of a loss, and 0.
  private func lossWeights(
    of layer: LayerDefinition, _ operation: TrainingOperation, tops: Int
  ) throws(Diagnostic) -> [Float] {
    let given = layer.message.floats("loss_weight")
    for (index, weight) in given.enumerated() where !weight.isFinite {
      throw .error(
        "\(layer.title): loss_weight is \(weight)",
        at: layer.message.location(of: "loss_weight", index: index))
    }
    var weights = [Float](repeating: 0, count: tops)
    if given.count == tops {
      weights = given
    } else if case .loss = operation {
      weights[0] = given.first ?? 1
    }
    if case .accuracy = operation, weights.contains(where: { $0 != 0 }) {
      throw layer.refusal("an accuracy has no gradient; remove its loss_weight", at: "loss_weight")
    }
    return weights
  }
}
