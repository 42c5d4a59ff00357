import Caffe
import Foundation
import IR
import Passes

/// What `fold` is asked to do.
public struct FoldOptions: Sendable {
  /// The network to read.
  public var definition: String
  public var weights: String
  /// The files to make.
  public var foldedDefinition: String
  public var foldedWeights: String
  /// Sizes for inputs that the definition leaves open.
  public var inputShapes: [InputShapeWish] = []
  public var allowUnknownFields = false
  /// Whether the folded network is run beside the original one before it is written.
  public var isChecked = true

  public init(
    definition: String, weights: String, foldedDefinition: String, foldedWeights: String
  ) {
    self.definition = definition
    self.weights = weights
    self.foldedDefinition = foldedDefinition
    self.foldedWeights = foldedWeights
  }
}

/// Removes what is zero in a network of Caffe, and writes it as a smaller one.
///
/// Only the structure passes run, with Caffe's own layers: normalisations and activations stay what they are.
public struct NetFolding {
  public var options: FoldOptions
  /// Told about every step: its name, and the share of all steps that are done.
  public var progress: (String, Double) -> Void = { _, _ in }

  public init(_ options: FoldOptions) { self.options = options }

  /// Folds; both files appear, or none. None does if the check fails.
  public func run() throws(Diagnostic) -> FoldResult {
    try requireNewNames()
    // Outputs that cannot be made are worth knowing before anything else.
    let files = try FilePair(options.foldedDefinition, options.foldedWeights)
    progress("read the network", 0)
    let source = try NetworkSource.read(
      definition: options.definition, weights: options.weights, inputShapes: options.inputShapes,
      allowUnknownFields: options.allowUnknownFields)
    progress("fold", 0.1)
    let (folded, reports) = try fold(source.graph)
    let settings = try TrainingSettings(
      Prototxt.read(options.definition, as: .net, allowUnknownFields: options.allowUnknownFields))
    let written = try write(folded, settings)
    let text = written.definition.text
    let reread = try read(text, written.weights)
    let check = try options.isChecked ? check(source.graph, reread) : nil
    if check?.isOK ?? true {
      progress("write the files", 0.9)
      try files.write(
        Data(text.utf8), written.weights.serialized(file: options.foldedWeights))
    }
    progress("done", 1)
    return FoldResult(
      options: options, summary: PassSummary(source.graph, reports),
      findings: source.findings + notes(source.graph, reread, settings), check: check,
      layers: reread.order.count, bytes: reread.parameterBytes)
  }

  private func requireNewNames() throws(Diagnostic) {
    let (first, second) = (options.foldedDefinition, options.foldedWeights)
    for output in [first, second] {
      for input in [options.definition, options.weights] where FilePair.areSame(output, input) {
        throw .error("is the network to fold; name other files to make", file: output)
      }
    }
    guard !FilePair.areSame(first, second) else {
      throw .error("is to be the definition and the weights; name two files", file: second)
    }
  }

  private func fold(_ graph: Graph) throws(Diagnostic) -> (Graph, [PassReport]) {
    do {
      return try PassManager(stages: [Pipeline.structure(vocabulary: .caffe)]).run(graph)
    } catch {
      throw bug("\(error)")
    }
  }

  private func write(_ graph: Graph, _ settings: TrainingSettings) throws(Diagnostic)
    -> WrittenNet
  {
    do {
      return try NetWriter.write(graph, settings: settings)
    } catch {
      throw bug("\(error)")
    }
  }

  /// The network as others will read it from the files.
  private func read(_ text: String, _ weights: Caffemodel) throws(Diagnostic) -> Graph {
    let name = options.foldedDefinition
    do {
      let prototxt = try Prototxt.parse(text: text, file: name, as: .net)
      return try NetReader.read(
        prototxt, weights: [NetReader.Weights(weights, file: options.foldedWeights)]
      ).graph
    } catch {
      throw bug("what was written cannot be read: \(error)")
    }
  }

  private func check(_ before: Graph, _ after: Graph) throws(Diagnostic) -> FoldCheck {
    do {
      return try FoldCheck(before, after) { step, share in progress(step, 0.2 + 0.7 * share) }
    } catch {
      throw .error("\(error)", file: options.definition)
    }
  }

  private func bug(_ what: String) -> Diagnostic {
    .error("\(what); please report this as a bug", file: options.definition)
  }

  /// What is different in the files although nobody asked for it.
  private func notes(_ before: Graph, _ after: Graph, _ settings: TrainingSettings)
    -> [Diagnostic]
  {
    func note(_ text: String) -> Diagnostic {
      Diagnostic(.note, text, file: options.foldedDefinition)
    }
    var notes: [Diagnostic] = []
    if !settings.isForTesting {
      notes.append(
        note("the network for testing, as a deploy.prototxt: no data layers, no losses"))
    }
    for (old, new) in zip(before.outputs, after.outputs) where before[old].name != after[new].name {
      notes.append(note("output \(before[old].name) is called \(after[new].name) there"))
    }
    let hints = before.order.filter { before[$0].kernelHint != nil }.count
    if hints > 0 {
      notes.append(
        note("conv_mode of \(Quantity.plural(hints, "layer")) is left out: current Caffe has none"))
    }
    return notes
  }
}
