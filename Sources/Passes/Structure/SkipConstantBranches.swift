import IR

/// Takes inputs that are constant out of Eltwise layers.
///
/// The branch of a residual block whose convolution died hands a constant per channel to the Eltwise, whatever
/// stood between them. A sum with it is a bias, a product a scale, a maximum with zero a ReLU; often there is
/// nothing left to do, and the layer disappears. What made the constant is then read by nobody:
/// `DropUnreadChannels` removes the whole branch, so that chains of such blocks collapse.
public struct SkipConstantBranches: Pass {
  public let name = "skip-constant-branches"
  public let vocabulary: LayerVocabulary

  public init(vocabulary: LayerVocabulary = .everything) { self.vocabulary = vocabulary }

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    if let refusal = FoldingLimit.refusal(of: graph) { return refusal }
    let analysis = ConstantAnalysis(graph)
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      guard case .eltwise(let layer) = graph[id].operation, layer.activation == nil,
        graph.inputShapes(of: id)[0].axes >= 2,
        let branches = Branches(of: id, layer, in: graph, analysis)
      else { continue }
      do {
        switch layer.combination {
        case .sum(let coefficients): try skipSum(id, coefficients, branches, &result)
        case .product: try skipProduct(id, branches, &result)
        case .maximum: skipMaximum(id, branches, &result)
        }
      } catch {
        throw PassError("layer \(graph[id].name): \(error)")
      }
    }
    return result
  }

  // MARK: Sums

  private func skipSum(
    _ id: NodeID, _ coefficients: [Float], _ branches: Branches, _ result: inout PassOutcome
  ) throws(ShapeError) {
    let (positions, sums) = branches.combined { numbers in
      zip(branches.constant, numbers).reduce(0.0) {
        $0 + Double(coefficients[$1.0]) * Double($1.1)
      }
    }
    let addition = Addition(positions, sums)
    guard addition.isUniform || vocabulary == .everything else {
      keep(
        id, branches, "its constant differs at the border, which no layer of Caffe adds", &result)
      return
    }
    let factors = branches.varying.map { coefficients[$0] }
    let inputs = branches.varying.map { result.graph[id].inputs[$0] }
    if inputs.count > 1 {
      result.graph.update(id) {
        $0.operation = .eltwise(Eltwise(.sum(coefficients: factors)))
        $0.inputs = inputs
      }
      note(id, branches, "the sum is taken of the others" + addition.clause, &result)
      if let bias = addition.operation {
        try result.graph.insert(
          behind: id, bias.0, name: "\(result.graph[id].name)/constant", parameters: [bias.1])
      }
      return
    }
    if factors[0] == 1 {
      become(
        addition.operation, id, inputs[0], branches, "what is left is" + addition.alone, &result)
      return
    }
    let scale = Tensor(shape: .vector(sums.count), repeating: factors[0])
    let uniform = addition.isUniform ? addition.middle : Tensor(shape: scale.shape, repeating: 0)
    result.graph.update(id) {
      $0.operation = .scale(Scale(hasBias: true))
      $0.inputs = inputs
      $0.parameters = [scale, uniform]
    }
    note(id, branches, "what is left is a scale" + addition.clause, &result)
    if !addition.isUniform, let bias = addition.operation {
      try result.graph.insert(
        behind: id, bias.0, name: "\(result.graph[id].name)/constant", parameters: [bias.1])
    }
  }

  // MARK: Products and maxima

  private func skipProduct(_ id: NodeID, _ branches: Branches, _ result: inout PassOutcome)
    throws(ShapeError)
  {
    let (_, products) = branches.combined { numbers in
      numbers.reduce(1.0) { $0 * Double($1) }
    }
    guard products.allSatisfy({ row in row.allSatisfy { $0 == row[0] } }) else {
      keep(id, branches, "its factor differs at the border", &result)
      return
    }
    let scale = Tensor(shape: .vector(products.count), values: products.map { Float($0[0]) })
    let isOne = scale.values.allSatisfy { $0 == 1 }
    let operation: (Operation, Tensor)? = isOne ? nil : (.scale(Scale()), scale)
    let inputs = branches.varying.map { result.graph[id].inputs[$0] }
    guard inputs.count > 1 else {
      become(
        operation, id, inputs[0], branches,
        "what is left is \(isOne ? "its other input" : "a scale")",
        &result)
      return
    }
    result.graph.update(id) { $0.inputs = inputs }
    note(id, branches, "the product is taken of the others, scaled", &result)
    if let operation {
      try result.graph.insert(
        behind: id, operation.0, name: "\(result.graph[id].name)/constant",
        parameters: [operation.1])
    }
  }

  private func skipMaximum(_ id: NodeID, _ branches: Branches, _ result: inout PassOutcome) {
    let (_, maxima) = branches.combined { numbers in Double(numbers.max() ?? 0) }
    guard branches.varying.count == 1, maxima.allSatisfy({ $0.allSatisfy { $0 == 0 } }) else {
      keep(id, branches, "a maximum with constants has no simpler form", &result)
      return
    }
    let input = result.graph[id].inputs[branches.varying[0]]
    result.graph.update(id) {
      $0.operation = .elementwise(Elementwise(.relu(slope: 0)))
      $0.inputs = [input]
    }
    note(id, branches, "what is left is a ReLU", &result)
  }

  // MARK: Rewriting

  /// The layer becomes `operation` of its only varying input, or goes if there is none.
  private func become(
    _ operation: (Operation, Tensor)?, _ id: NodeID, _ input: ValueID, _ branches: Branches,
    _ what: String, _ result: inout PassOutcome
  ) {
    let node = result.graph[id]
    result.graph.update(id) {
      $0.operation = operation?.0 ?? .identity(Identity(of: node.sourceType))
      $0.parameters = operation.map { [$0.1] } ?? []
      $0.inputs = [input]
    }
    if operation == nil, result.graph.bypass(id) {
      result.findings.append(
        Finding(
          node, .removed, branches.text(in: node, result.graph) + ": it passes its other input on"))
    } else {
      note(id, branches, what, &result)
    }
  }

  private func note(
    _ id: NodeID, _ branches: Branches, _ what: String, _ result: inout PassOutcome
  ) {
    let node = result.graph[id]
    result.findings.append(
      Finding(node, .changed, branches.text(in: node, result.graph) + ": " + what))
  }

  private func keep(
    _ id: NodeID, _ branches: Branches, _ why: String, _ result: inout PassOutcome
  ) {
    let node = result.graph[id]
    result.findings.append(
      Finding(node, .kept, branches.text(in: node, result.graph) + ", but " + why))
  }
}

/// The inputs of an Eltwise layer, sorted by whether they are constant.
private struct Branches {
  /// Indices of inputs all of whose channels are known.
  let constant: [Int]
  /// Indices of the other inputs; there is at least one.
  let varying: [Int]
  private let positions: PositionClasses
  /// For each constant input and channel the content by class.
  private let contents: [[[Float]]]
  private let names: [String]

  /// nil if no input is constant, or all are.
  init?(of id: NodeID, _ layer: Eltwise, in graph: Graph, _ analysis: ConstantAnalysis) {
    let inputs = graph[id].inputs
    let known = inputs.map { input in
      analysis[input].flatMap { $0.isComplete ? $0 : nil }
    }
    constant = inputs.indices.filter { known[$0] != nil }
    varying = inputs.indices.filter { known[$0] == nil }
    guard !constant.isEmpty, !varying.isEmpty else { return nil }
    let (positions, contents) = KnownChannels.align(
      constant.map { known[$0] }, shape: graph[inputs[0]].shape)
    self.positions = positions
    self.contents = contents.map { channels in (channels ?? []).compactMap(\.self) }
    names = constant.map { graph[inputs[$0]].name }
  }

  /// One number per channel and class, made of those of the constant inputs in their order.
  func combined(_ body: ([Float]) -> Double) -> (PositionClasses, [[Double]]) {
    let rows = contents[0].indices.map { channel in
      (0..<positions.count).map { place in body(contents.map { $0[channel][place] }) }
    }
    return (positions, rows)
  }

  func text(in node: Node, _ graph: Graph) -> String {
    names.count == 1
      ? "its input \(names[0]) is constant"
      : "its inputs \(names.joined(separator: ", ")) are constant"
  }
}

/// What is to be added to every channel.
private struct Addition {
  let positions: PositionClasses
  private let rows: [[Float]]

  init(_ positions: PositionClasses, _ sums: [[Double]]) {
    let rounded = sums.map { $0.map(Float.init) }
    let (merged, here) = positions.merged(where: rounded)
    self.positions = merged
    rows = rounded.map { row in here.map { row[$0] } }
  }

  var isUniform: Bool { positions.isUniform }
  private var isZero: Bool { rows.allSatisfy { $0.allSatisfy { $0 == 0 } } }

  /// One number per channel: all there is if it is uniform.
  var middle: Tensor { Tensor(shape: .vector(rows.count), values: rows.map { $0[0] }) }

  /// The layer that adds it; nil if it is zero.
  var operation: (Operation, Tensor)? {
    if isZero { return nil }
    if isUniform { return (.bias(Bias()), middle) }
    guard let shape = try? Shape([rows.count] + positions.counts) else {
      preconditionFailure("there is a class of positions")
    }
    return (
      .borderBias(BorderBias(classes: positions.axes)),
      Tensor(shape: shape, values: rows.flatMap { $0 })
    )
  }

  /// Behind "what is left is".
  var alone: String { isZero ? " its other input" : isUniform ? " a bias" : " a bias by position" }
  /// Behind a description of the rest.
  var clause: String { isZero ? "" : isUniform ? " and a bias" : " and a bias by position" }
}
