import IR

/// A network as text and bytes, ready for the C compiler.
public struct EmittedModel: Sendable {
  /// `net.c`.
  public var source: SourceFile
  /// `weights.bin`.
  public var weights: [UInt8]
  /// Straight-line code, for the end of `kernels.S`; empty if no layer has any.
  public var code: String
  /// The prelude's headers that `net.c` needs.
  public var headers: [SourceFile]
  /// The layers in the order in which they run; what needs no work is not among them.
  public var steps: [EmittedStep]
  /// Size of the arena of an item in flight, in floats.
  public var arenaFloats: Int
  /// Floats that each part of a layer has behind the arena.
  public var scratchFloats: Int
  /// Floats of an item in the tail's arena; 0 if there is no tail.
  public var tailFloats: Int
}

/// One entry of the network's list of layers.
public struct EmittedStep: Hashable, Sendable {
  public var node: NodeID
  /// The C function.
  public var function: String
  /// Whether the function does all items of a batch at once.
  public var takesItems = false
}

/// Writes a lowered graph as C: file header, layer functions in the graph's order, tables, entry point.
public struct ModelEmitter {
  public let lowered: LoweredGraph
  public let target: Target
  /// The largest number of items in one run; 1 for a network of a fixed batch.
  public let maximumBatch: Int
  /// Threads share the layers of one item if it is predicted to take at least so many seconds on one: waking them
  /// and meeting after each layer takes tens of microseconds.
  public var sharedItemSeconds = 100e-6

  public init(lowered: LoweredGraph, target: Target, maximumBatch: Int) {
    self.lowered = lowered
    self.target = target
    self.maximumBatch = maximumBatch
  }

  private var graph: Graph { lowered.graph }

  public func emit() -> EmittedModel {
    let plan = NetworkPlan(lowered, sharesItems: sharesItems) { kernel(of: $0) }
    var weights = WeightStore()
    var code = StraightLineCode()
    var headers: Set<String> = ["network.h"]
    var names = UniqueNames()
    var functions = CWriter()
    var steps: [EmittedStep] = []
    var scratchFloats = 0
    var stepsSoFar: [NodeID: Int] = [:]
    for part in plan.parts {
      for id in part.lowered.graph.order {
        if !part.plan.idleNodes.contains(id) {
          let function = names.unique("layer_" + CText.identifier(graph[id].name))
          var emitter = LayerEmitter(
            lowered: part.lowered, plan: part.plan, itemPitch: part.itemPitch, target: target,
            weights: weights)
          // One owner at a time: the largest array of all is never copied.
          weights = WeightStore()
          emitter.code = code
          kernel(of: id).emit(id, into: &emitter)
          weights = emitter.weights
          code = emitter.code
          scratchFloats = max(scratchFloats, emitter.scratchFloats)
          headers.formUnion(emitter.headers)
          write(id, function, emitter, to: &functions)
          steps.append(
            EmittedStep(node: id, function: function, takesItems: emitter.takesItems))
        }
        stepsSoFar[id] = steps.count
      }
    }
    var file = CWriter()
    writeHead(headers, code, to: &file)
    file.lines(functions.text)
    let tables = TableWriter(
      lowered: lowered, plan: plan, values: graph.liveValues.filter { !graph[$0].isInternal })
    tables.write(
      steps: steps, stepsSoFar: stepsSoFar, maximumBatch: maximumBatch,
      sharesItems: predictedSeconds >= sharedItemSeconds, scratchFloats: scratchFloats, to: &file)
    return EmittedModel(
      source: SourceFile(name: "net.c", text: file.text), weights: weights.bytes,
      code: code.text, headers: Prelude.headers(including: headers), steps: steps,
      arenaFloats: plan.head.plan.size, scratchFloats: scratchFloats,
      tailFloats: plan.tail?.itemPitch ?? 0)
  }

  /// Whether there is ever more than one item to share weights among.
  private var sharesItems: Bool { graph.batch == .perItem && maximumBatch > 1 }

  /// Of one item on one thread.
  private var predictedSeconds: Double {
    graph.order.reduce(0) { $0 + (lowered.kernels[$1]?.predictedCost ?? 0) }
  }

  private func kernel(of id: NodeID) -> any Kernel {
    guard let choice = lowered.kernels[id] else {
      preconditionFailure("the chooser gave every node a kernel")
    }
    return KernelCatalog.kernel(named: choice.kernel)
  }

  private func writeHead(_ headers: Set<String>, _ code: StraightLineCode, to file: inout CWriter) {
    file.comment([
      "net.c: the network \(CText.literal(graph.name)), compiled by sparsec for "
        + "\(target.architecture).",
      "One function per layer, in the order in which they run; each does its part of one item.",
      "Weights lie beside this text, in the form in which the kernels read them.",
    ])
    for header in headers.sorted() { file.line("#include \"\(header)\"") }
    file.line()
    file.line("#if \(lanesTest)")
    file.line("#error \"weights are packed for vectors of \(target.lanes) floats\"")
    file.line("#endif")
    file.line()
    file.line("extern const unsigned char sparsec_weights[] HIDDEN;")
    file.line("extern const char sparsec_manifest[] HIDDEN;")
    for declaration in code.declarations { file.line(declaration) }
    file.line()
  }

  /// True in the preprocessor when the compiler's vectors are not those the weights were packed for.
  private var lanesTest: String {
    switch target.lanes {
    case 16: "!defined(__AVX512F__)"
    case 8: "!defined(__AVX__) || defined(__AVX512F__)"
    default: "defined(__AVX__)"
    }
  }

  private func write(
    _ id: NodeID, _ function: String, _ emitter: LayerEmitter, to file: inout CWriter
  ) {
    file.comment(
      description(of: id) + (emitter.takesItems ? ["all items of a batch together"] : []))
    let items = emitter.takesItems ? "int items, " : ""
    file.block("static void \(function)(float *arena, \(items)int part, int parts)") { file in
      if !emitter.usesParts {
        file.line("(void)parts;")
        file.line("if (part != 0) return;")
      }
      file.lines(emitter.body.text.trimmingNewline)
    }
    file.line()
  }

  /// What a reader wants to know about a layer: extents, share of zeros, kernel and why.
  private func description(of id: NodeID) -> [String] {
    let node = graph[id]
    let inputs = graph.inputShapes(of: id).map(\.description).joined(separator: ", ")
    let outputs = graph.outputShapes(of: id).map(\.description).joined(separator: ", ")
    var lines = ["\(node.name): \(node.operation.layer.typeName) \(inputs) -> \(outputs)"]
    let attributes = node.operation.layer.attributes.map { "\($0.name) \($0.value)" }
    if !attributes.isEmpty { lines.append(attributes.joined(separator: ", ")) }
    if !node.fused.isEmpty {
      let fused = node.fused.map { "\($0.name) (\($0.type))" }.joined(separator: ", ")
      lines.append("with \(fused)")
    }
    if let weights = node.parameters.first, weights.count > 1 {
      lines.append(
        "weights \(weights.shape), \(weights.nonzeroCount) of \(weights.count) not zero "
          + "(\(percent(weights.density)))")
    }
    if let choice = lowered.kernels[id] {
      lines.append("kernel \(choice.kernel): \(choice.reason)")
    }
    return lines
  }
}

/// Gives every name once: the second `conv` becomes `conv_2`.
private struct UniqueNames {
  private var taken: Set<String> = []

  mutating func unique(_ name: String) -> String {
    var candidate = name
    var number = 1
    while !taken.insert(candidate).inserted {
      number += 1
      candidate = "\(name)_\(number)"
    }
    return candidate
  }
}

extension String {
  fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
