import IR

/// The state of `NetReader.read`: the graph so far, and what every blob name stands for.
struct NetLowering {
  /// What a blob name stands for after the layers so far.
  enum BlobState {
    case value(ValueID)
    /// A data blob whose size nobody has said.
    case open(LayerDefinition)
    /// Left out, together with whatever reads it.
    case leftOut
  }

  let options: NetReader.Options
  var graph: Graph
  var parameters: ParameterSource
  var findings: [Diagnostic] = []
  /// All layers of the file, for messages about blobs that nobody makes.
  var allLayers: [TextMessage] = []

  private var blobs: [String: (state: BlobState, maker: String)] = [:]
  /// Inputs that layers read which were left out.
  private var readByTrainingLayers: Set<ValueID> = []
  private var leftOutLayers: [String] = []
  private var labels: [String] = []
  private var usedInputShapes: Set<NetReader.InputShape> = []
  /// Whether an unnamed input shape is still to be used.
  private var isFirstInput = true

  init(name: String, parameters: ParameterSource, options: NetReader.Options) {
    self.options = options
    self.parameters = parameters
    self.graph = Graph(name: name)
  }

  /// Adds one layer.
  mutating func lower(_ message: TextMessage) throws(Diagnostic) {
    let type = try LayerReaders.type(of: message)
    var layer = LayerDefinition(message: message, inputShapes: [], state: options.state)
    try layer.checkCounts(type)
    switch type.role {
    case .refused(let reason):
      throw layer.refusal(reason, at: "type")
    case .data(let read):
      for blob in try read(layer) { try add(blob, of: layer) }
      noteTransform(of: layer)
    case .trainingOnly:
      try leaveOut(layer)
    case .computed(let read):
      guard let inputs = try inputs(of: &layer) else { return try leaveOut(layer) }
      try append(try read(layer), layer, pairs: [(inputs, layer.tops)])
    case .computedPerBottom(let read):
      guard let inputs = try inputs(of: &layer) else { return try leaveOut(layer) }
      guard layer.inputShapes.allSatisfy({ $0 == layer.inputShapes[0] }) else {
        throw layer.refusal("its bottoms have different shapes", at: "bottom")
      }
      try append(
        try read(layer), layer, pairs: zip(inputs, layer.tops).map { ([$0], [$1]) })
    }
    warnAboutPaddedPooling(of: layer)
  }

  /// The fused layers of SkimCaffe measure windows at a padded border from where they are clipped.
  private mutating func warnAboutPaddedPooling(of layer: LayerDefinition) {
    let fused = ["ConvolutionReLUPool", "ConvolutionReLUPoolLRN", "ReLUPooling"]
    let pooling = layer.message.message("pooling_param")
    guard fused.contains(layer.type),
      let pad = ["pad", "pad_h", "pad_w"].first(where: { pooling.integer($0) > 0 })
    else { return }
    findings.append(
      .warning(
        "\(layer.title) pads before pooling, which SkimCaffe computes otherwise than Caffe; "
          + "done here as in Caffe", at: pooling.location(of: pad)))
  }

  // MARK: - Blobs

  /// What the bottoms stand for; nil if one was left out, and so the layer must be.
  private mutating func inputs(of layer: inout LayerDefinition) throws(Diagnostic) -> [ValueID]? {
    var values: [ValueID] = []
    for (index, bottom) in layer.bottoms.enumerated() {
      switch try state(of: bottom, index: index, in: layer) {
      case .value(let value): values.append(value)
      case .leftOut: return nil
      case .open(let source):
        throw .error(
          "\(source.title): only its data source knows the size of blob "
            + "\(Spelling.quoted(bottom)); give it with --input-shape \(bottom)=CxHxW",
          at: source.message.location)
      }
    }
    layer.inputShapes = values.map { graph[$0].shape }
    return values
  }

  private func state(of bottom: String, index: Int, in layer: LayerDefinition)
    throws(Diagnostic) -> BlobState
  {
    if let blob = blobs[bottom] { return blob.state }
    throw .error(
      "\(layer.title) reads blob \(Spelling.quoted(bottom)), which no earlier layer makes"
        + layer.explanation(of: bottom, among: blobs.keys, allLayers: allLayers),
      at: layer.message.location(of: "bottom", index: index))
  }

  /// Lets a top's name stand for something, unless it is taken: a layer may reuse only the name of
  /// the bottom in the same place, which is how layers work in place.
  private mutating func define(_ index: Int, of layer: LayerDefinition, as state: BlobState)
    throws(Diagnostic)
  {
    let name = layer.tops[index]
    let bottoms = layer.bottoms
    let isInPlace = index < bottoms.count && bottoms[index] == name
    if !isInPlace, let other = blobs[name] {
      throw .error(
        "\(layer.title) makes blob \(Spelling.quoted(name)), which layer "
          + "\(Spelling.quoted(other.maker)) makes already; give one of them another name",
        at: layer.message.location(of: "top", index: index))
    }
    blobs[name] = (state, layer.name)
  }

  private mutating func leaveOut(_ layer: LayerDefinition) throws(Diagnostic) {
    for (index, bottom) in layer.bottoms.enumerated() {
      if case .value(let value) = try state(of: bottom, index: index, in: layer) {
        readByTrainingLayers.insert(value)
      }
    }
    leftOutLayers.append("\(layer.name) (\(layer.type))")
    for index in layer.tops.indices {
      // Forks let the loss hand out the probabilities that it computes anyway.
      if layer.type == "SoftmaxWithLoss", index == 1,
        case .value(let scores) = try state(of: layer.bottoms[0], index: 0, in: layer)
      {
        var softmax = layer
        softmax.inputShapes = [graph[scores].shape]
        try append(
          try NormalizationReaders.softmax(softmax), softmax,
          pairs: [([scores], [layer.tops[1]])], firstTop: 1)
      } else {
        try define(index, of: layer, as: .leftOut)
      }
    }
  }

  // MARK: - Data

  private mutating func add(_ blob: DataBlob, of layer: LayerDefinition) throws(Diagnostic) {
    guard let index = layer.tops.firstIndex(of: blob.top) else {
      preconditionFailure("a data reader made up a top")
    }
    var extents: [Int]
    switch blob.size {
    case .labels:
      labels.append(blob.top)
      return try define(index, of: layer, as: .leftOut)
    case .known(let known): extents = known
    case .open(let items): extents = [items]
    }
    let given =
      options.inputShapes.first { $0.name == blob.top }
      ?? (isFirstInput ? options.inputShapes.first { $0.name == nil } : nil)
    isFirstInput = false
    if let given {
      usedInputShapes.insert(given)
      extents = extents.prefix(1) + given.extents
    } else if case .open = blob.size {
      return try define(index, of: layer, as: .open(layer))
    } else if let note = blob.note {
      findings.append(
        .note(
          "\(layer.title): blob \(Spelling.quoted(blob.top)) is \(note)",
          at: layer.message.location))
    }
    let shape = try layer.fitting { () throws(ShapeError) in try Shape(extents) }
    try define(index, of: layer, as: .value(graph.addInput(name: blob.top, shape: shape)))
  }

  /// The compiled net starts behind the data layer's preprocessing.
  private mutating func noteTransform(of layer: LayerDefinition) {
    let transform = layer.message.message("transform_param")
    var parts: [String] = []
    if transform.has("mean_file") {
      parts.append("subtracts the mean in \(Spelling.shown(transform.string("mean_file")))")
    }
    let means = transform.floats("mean_value").map { TextMessage.text("\($0)") }
      .joined(separator: ",")
    if !means.isEmpty { parts.append("subtracts \(means)") }
    let scale = transform.float("scale")
    if scale != 1 { parts.append("scales by \(TextMessage.text("\(scale)"))") }
    guard !parts.isEmpty else { return }
    findings.append(
      .note(
        "\(layer.title) \(parts.joined(separator: " and ")); the net is compiled without that "
          + "(see --mean and --scale)", at: transform.location))
  }

  // MARK: - Operations

  /// Adds a layer's chain of operations for each group of bottoms and tops.
  private mutating func append(
    _ operations: [Operation], _ layer: LayerDefinition,
    pairs: [(inputs: [ValueID], tops: [String])], firstTop: Int = 0
  ) throws(Diagnostic) {
    let shapes = pairs[0].inputs.map { graph[$0].shape }
    var operations = operations
    try layer.fitting { () throws(ShapeError) in
      operations[0] = try parameters.inDomainOfFile(operations[0], of: layer, reading: shapes)
    }
    let first = operations[0]
    let slots = try layer.fitting { () throws(ShapeError) in
      _ = try first.layer.outputShapes(for: shapes)
      return try first.layer.parameters(for: shapes)
    }
    let tensors = try parameters.tensors(
      for: slots, of: layer, options: options, findings: &findings)

    var top = firstTop
    for (inputs, tops) in pairs {
      var current = inputs
      for (position, operation) in operations.enumerated() {
        let isLast = position == operations.count - 1
        do {
          let node = try graph.append(
            operation, name: layer.name,
            sourceType: position == 0 ? layer.type : operation.layer.typeName, inputs: current,
            parameters: position == 0 ? tensors : [],
            outputNames: isLast ? tops : [tops[0]], location: layer.message.location,
            kernelHint: position == 0 ? kernelHint(of: layer) : nil, isInternal: !isLast)
          if position == 0 { parameters.note(node, of: layer) }
          current = graph[node].outputs
        } catch {
          throw layer.refusal(Spelling.shown(error.description, atMost: 300))
        }
      }
      for value in current {
        try define(top, of: layer, as: .value(value))
        top += 1
      }
    }
  }

  /// What `conv_mode` asks for; lowering and padding are not the file's business any more.
  private func kernelHint(of layer: LayerDefinition) -> KernelHint? {
    let convolution = layer.message.message("convolution_param")
    guard convolution.has("conv_mode") else { return nil }
    let mode = convolution.enumName("conv_mode")
    switch mode {
    case "LOWERED_CSRMM", "DIRECT_SCONV": return KernelHint(.sparse, text: mode)
    case "LOWERED_CCNMM": return KernelHint(.squeezed, text: mode)
    default: return KernelHint(.dense, text: mode)
    }
  }
}

// MARK: - The end

extension NetLowering {
  /// Settles inputs, outputs and batch, and reports what was left out.
  mutating func finish(layers: [TextMessage], file: String) throws(Diagnostic) -> LoweredNet {
    noteLeftOut(file: file)
    try checkInputShapes(file: file)
    guard !graph.order.isEmpty else {
      throw .error("no layer is left that computes anything", file: file)
    }
    let missing = try parameters.settle(in: &graph, isOptional: options.weightsOptional)
    findings += parameters.unusedLayers(besides: Set(layers.map { $0.string("name") }))

    let consumers = graph.consumerTable()
    for input in graph.inputs where consumers[input] == nil {
      let reader =
        readByTrainingLayers.contains(input) ? "only training layers read" : "no layer reads"
      findings.append(
        Diagnostic(
          .note, "input \(Spelling.quoted(graph[input].name)) is left out: \(reader) it",
          file: file))
      graph.removeInput(input)
    }
    graph.setOutputs(outputs(consumers, file: file))
    try settleBatch(file: file)
    return LoweredNet(graph: graph, findings: findings, missingWeights: missing)
  }

  /// The blobs that no layer reads, in the order in which they are made.
  ///
  /// If Silence swallows them all, what it swallows is all that the net can be wanted for.
  private mutating func outputs(_ consumers: [ValueID: [NodeID]], file: String) -> [ValueID] {
    let made = graph.order.flatMap { graph[$0].outputs }
    let unread = made.filter { consumers[$0] == nil }
    guard unread.isEmpty else { return unread }
    findings.append(
      Diagnostic(.note, "Silence swallows all results; they are taken as outputs", file: file))
    return made.filter { value in
      consumers[value, default: []].contains { graph[$0].operation == .silence(Silence()) }
    }
  }

  private mutating func noteLeftOut(file: String) {
    func quoted(_ names: [String]) -> String {
      let shown = Spelling.shown(names.prefix(8).joined(separator: ", "), atMost: 300)
      return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
    if !leftOutLayers.isEmpty {
      findings.append(
        Diagnostic(
          .note, "left out, for training and testing only: \(quoted(leftOutLayers))", file: file))
    }
    if !labels.isEmpty {
      findings.append(
        Diagnostic(.note, "left out, labels: \(quoted(labels))", file: file))
    }
  }

  private func checkInputShapes(file: String) throws(Diagnostic) {
    for shape in options.inputShapes where !usedInputShapes.contains(shape) {
      let names = graph.inputs.map { graph[$0].name }
      guard let name = shape.name else {
        throw .error("--input-shape: the net has no input to size", file: file)
      }
      throw .error(
        "--input-shape: the net has no input \(Spelling.quoted(name))"
          + Spelling.hint(for: name, among: names), file: file)
    }
  }

  private mutating func settleBatch(file: String) throws(Diagnostic) {
    do {
      try graph.settleBatch()
    } catch {
      throw .error("for one item: \(Spelling.shown("\(error)", atMost: 300))", file: file)
    }
    if case .fixed(let reason) = graph.batch {
      findings.append(
        Diagnostic(
          .note,
          "the batch is fixed at the size in the file: \(Spelling.shown(reason, atMost: 300))",
          file: file))
    }
    var elements = 0
    for value in graph.liveValues { elements += graph[value].shape.count }
    guard elements <= NetReader.maximumBlobElements else {
      throw .error(
        "its blobs have \(elements) elements together; at most "
          + "\(NetReader.maximumBlobElements) are possible", file: file)
    }
  }
}
