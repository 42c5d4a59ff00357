import IR

/// Reads the layers that only training and testing have: losses and accuracies.
struct LossReader {
  let layer: LayerDefinition
  let dialect: TrainingDialect

  /// What the layer computes, and the shapes of its first and its second top; the second exists only if it is named.
  func read() throws(Diagnostic) -> (TrainingOperation, shapes: [Shape]) {
    let inputs = layer.inputShapes
    switch layer.type {
    case "Accuracy": return try accuracy()
    case "SoftmaxWithLoss":
      try requireTops(2)
      let axis = try axis(layer.message.message("softmax_param").integer("axis"))
      try requirePositions(axis)
      return (
        .loss(.softmax(axis: axis, normalization(otherwise: .valid), ignoredLabel: ignored)),
        [.scalar, inputs[0]]
      )
    case "EuclideanLoss":
      try requireTops(1)
      try requireItems()
      guard inputs[0].count == inputs[1].count else { throw mismatch() }
      return (.loss(.euclidean), [.scalar])
    case "HingeLoss":
      try requireTops(1)
      try requireItems()
      guard inputs[1].count == inputs[0][0] else { throw mismatch() }
      let norm = layer.message.message("hinge_loss_param").enumName("norm")
      return (.loss(.hinge(squared: norm == "L2")), [.scalar])
    case "SigmoidCrossEntropyLoss":
      try requireTops(1)
      guard inputs[0].count == inputs[1].count else { throw mismatch() }
      return (
        .loss(.sigmoidCrossEntropy(normalization(otherwise: .batchSize), ignoredLabel: ignored)),
        [.scalar]
      )
    case "MultinomialLogisticLoss":
      try requireTops(1)
      try requireItems()
      guard inputs[1].count == inputs[0][0] else { throw mismatch() }
      return (.loss(.multinomialLogistic), [.scalar])
    case "InfogainLoss": return try infogain()
    case "ContrastiveLoss": return try contrastive()
    default:
      throw layer.refusal(
        "writing blobs to files while training is not supported; remove the layer", at: "type")
    }
  }

  private func accuracy() throws(Diagnostic) -> (TrainingOperation, shapes: [Shape]) {
    let parameters = layer.message.message("accuracy_param")
    guard !layer.tops.isEmpty else { throw layer.refusal("it has no top", at: "top") }
    let axis = try axis(parameters.integer("axis"))
    try requirePositions(axis)
    let top = try layer.count("top_k", of: parameters)
    let classes = layer.inputShapes[0][axis]
    guard top <= classes else {
      throw layer.refusal("top_k \(top) of \(classes) classes", at: "top_k", of: parameters)
    }
    let accuracy = Accuracy(
      top: top, axis: axis,
      ignoredLabel: parameters.has("ignore_label") ? parameters.integer("ignore_label") : nil,
      tiesGoToLarger: dialect != .bvlc)
    return (.accuracy(accuracy), [.scalar, .vector(classes)])
  }

  private func infogain() throws(Diagnostic) -> (TrainingOperation, shapes: [Shape]) {
    try requireTops(2)
    let parameters = layer.message.message("infogain_loss_param")
    let axis = try axis(parameters.integer("axis"))
    try requirePositions(axis)
    let classes = layer.inputShapes[0][axis]
    var matrix: [Float]?
    if layer.bottoms.count == 2 {
      guard parameters.has("source") else {
        throw layer.refusal(
          "give the matrix: infogain_loss_param { source } or a third bottom", of: parameters)
      }
      matrix = try MatrixFile.read(
        contentsOf: parameters.string("source"), at: parameters.location(of: "source"))
    }
    let count = matrix?.count ?? layer.inputShapes[2].count
    guard count == classes * classes else {
      throw layer.refusal("a matrix of \(count) numbers for \(classes) classes", of: parameters)
    }
    return (
      .loss(
        .infogain(
          matrix: matrix, axis: axis, normalization(otherwise: .valid), ignoredLabel: ignored)),
      [.scalar, layer.inputShapes[0]]
    )
  }

  private func contrastive() throws(Diagnostic) -> (TrainingOperation, shapes: [Shape]) {
    try requireTops(1)
    let inputs = layer.inputShapes
    guard inputs[0] == inputs[1], inputs[0].axes >= 2,
      inputs[0].count == inputs[0][0] * inputs[0][1], inputs[2].count == inputs[0][0]
    else {
      throw layer.refusal(
        "it compares two blobs of vectors and has one label per pair, not "
          + inputs.map(\.description).joined(separator: ", "), at: "bottom")
    }
    let parameters = layer.message.message("contrastive_loss_param")
    return (
      .loss(
        .contrastive(
          margin: parameters.float("margin"), legacy: parameters.bool("legacy_version"))),
      [.scalar]
    )
  }

  // MARK: - What losses share

  private func requireTops(_ most: Int) throws(Diagnostic) {
    guard layer.tops.count <= most else {
      throw layer.refusal(
        "\(layer.tops.count) tops where it has \(most == 1 ? "one" : "1 to \(most)")", at: "top")
    }
  }

  private func axis(_ axis: Int) throws(Diagnostic) -> Int {
    try layer.fitting { () throws(ShapeError) in try layer.inputShapes[0].canonicalAxis(axis) }
  }

  /// One label for each position of the scores.
  private func requirePositions(_ axis: Int) throws(Diagnostic) {
    let scores = layer.inputShapes[0]
    guard scores.count / scores[axis] == layer.inputShapes[1].count else { throw mismatch() }
  }

  private func requireItems() throws(Diagnostic) {
    let inputs = layer.inputShapes
    guard inputs[0].axes > 0, inputs[1].axes > 0, inputs[0][0] == inputs[1][0] else {
      throw mismatch()
    }
  }

  private func mismatch() -> Diagnostic {
    layer.refusal(
      "bottoms of shapes \(layer.inputShapes[0]) and \(layer.inputShapes[1]) do not match",
      at: "bottom")
  }

  private func normalization(otherwise usual: Loss.Normalization) -> Loss.Normalization {
    let parameters = layer.message.message("loss_param")
    guard parameters.has("normalization") else { return usual }
    return Loss.Normalization(rawValue: parameters.enumName("normalization")) ?? usual
  }

  private var ignored: Int? {
    let parameters = layer.message.message("loss_param")
    return parameters.has("ignore_label") ? parameters.integer("ignore_label") : nil
  }
}
