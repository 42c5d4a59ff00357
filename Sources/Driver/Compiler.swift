import Caffe
import Codegen
import Foundation
import IR
import Passes

/// Turns a network's definition and weights into a shared object: the whole story, top to bottom.
public struct Compiler {
  public var options: CompileOptions
  /// Told about every step: its name, and the share of all steps that are done.
  public var progress: (String, Double) -> Void = { _, _ in }
  /// Given the graph after every pass: the pass's name and the graph.
  public var passObserver: (String, Graph) -> Void = { _, _ in }

  public init(_ options: CompileOptions) { self.options = options }

  /// What a compilation produced.
  public struct Result: Sendable {
    public var manifest: Manifest
    public var findings: [Diagnostic]
    /// Seconds from reading to the finished file.
    public var seconds: Double
  }

  /// A network that is ready to be emitted.
  public struct Lowered: Sendable {
    public var source: NetworkSource
    /// After the passes.
    public var graph: Graph
    public var reports: [PassReport]
    public var lowered: LoweredGraph
    public var target: Target
    public var maximumBatch: Int
  }

  /// Compiles; the output file appears whole or not at all.
  public func compile() throws(Diagnostic) -> Result {
    let start = ContinuousClock.now
    let clang = try Clang.find()
    // An output that cannot be made is worth knowing before minutes of work.
    if let output = options.output { _ = try FileInTheMaking(output) }
    let folder = try BuildFolder.temporary()
    let (manifest, findings, code) = try emit(to: folder, clang)
    if let output = options.output {
      progress("compile C", 0.5)
      try CompileJob(clang: clang, architecture: options.target, folder: folder.path)
        .run(code: code, to: output)
    }
    try writeExtras(manifest)
    progress("done", 1)
    let elapsed = ContinuousClock.now - start
    return Result(
      manifest: manifest, findings: findings,
      seconds: Double(elapsed.components.seconds)
        + Double(elapsed.components.attoseconds) * 1e-18)
  }

  /// Writes everything that the file is built from, and returns what else is needed. The weights, once those of
  /// the source and once packed, end here: the assembler takes as much memory again.
  private func emit(to folder: borrowing BuildFolder, _ clang: Clang) throws(Diagnostic)
    -> (Manifest, findings: [Diagnostic], code: String)
  {
    let stage = try lower(clang)
    progress("emit C", 0.3)
    let emitter = ModelEmitter(
      lowered: stage.lowered, target: stage.target, maximumBatch: stage.maximumBatch)
    let model = emitter.emit()
    let manifest = try ManifestBuilder(stage, model, options).manifest()
    try folder.write(model, manifest: try manifest.encoded())
    if let kept = options.keptFolder { try keep(model, manifest, clang, in: kept) }
    return (manifest, stage.source.findings, model.code)
  }

  /// Reads, runs the passes, chooses kernels and layouts.
  public func lower(_ clang: Clang) throws(Diagnostic) -> Lowered {
    progress("read the network", 0)
    let source = try NetworkSource.read(
      definition: options.definition, weights: options.weights,
      inputShapes: options.inputShapes, allowUnknownFields: options.allowUnknownFields)
    let maximumBatch = try checkedBatch(source.graph)
    progress("run the passes", 0.1)
    let (graph, reports) = try runPasses(source.graph)
    progress("choose kernels", 0.2)
    let target = try clang.target(named: options.target)
    let catalog = KernelCatalog(target: target)
    let stage = Lowered(
      source: source, graph: graph, reports: reports,
      lowered: try chooseKernels(for: graph, from: CatalogSource(catalog: catalog)),
      target: target, maximumBatch: maximumBatch)
    return options.measuresKernels ? try tuned(stage, clang) : stage
  }

  private func chooseKernels(for graph: Graph, from source: CatalogSource) throws(Diagnostic)
    -> LoweredGraph
  {
    try ChooseKernels(
      source: source, forced: options.forcedKernels, weightForm: options.weightForm
    ).run(graph)
  }

  /// The same network with the kernels that are measured to be the fastest, unless the model's are faster
  /// together.
  private func tuned(_ stage: Lowered, _ clang: Clang) throws(Diagnostic) -> Lowered {
    var (times, warning) = KernelTimes.read()
    let tuning = KernelTuning(
      clang: clang, target: stage.target, stage: stage, options: options, progress: progress)
    try tuning.measure(&times)
    try times.write()
    let source = CatalogSource(catalog: KernelCatalog(target: stage.target), times: times)
    let lowered = try chooseKernels(for: stage.graph, from: source)
    var result = stage
    result.source.findings += warning.map { [$0] } ?? []
    if try tuning.isFaster(lowered) {
      result.lowered = lowered
    } else {
      result.lowered.note(measured: lowered)
      result.source.findings.append(
        .note("the kernels that are fastest one by one are slower together: the model's are kept"))
    }
    return result
  }

  private func checkedBatch(_ graph: Graph) throws(Diagnostic) -> Int {
    guard (1...65536).contains(options.batch) else {
      throw .error("--batch \(options.batch): 1 to 65536 are possible")
    }
    switch graph.batch {
    case .perItem: return options.batch
    case .fixed(let reason):
      guard options.batch == 1 else {
        throw .error(
          "--batch \(options.batch): the network's batch is fixed at the file's size, because "
            + "\(reason)", file: options.definition)
      }
      return 1
    }
  }

  private func runPasses(_ graph: Graph) throws(Diagnostic) -> (Graph, [PassReport]) {
    for name in options.disabledPasses.sorted() where !Pipeline.names.contains(name) {
      throw .error(
        "--disable-pass \(name): no such pass; there are \(Pipeline.names.joined(separator: ", "))")
    }
    let manager = PassManager(disabled: options.disabledPasses, observer: passObserver)
    do {
      return try manager.run(graph)
    } catch {
      throw .error("\(error); please report this as a bug", file: options.definition)
    }
  }

  private func keep(_ model: EmittedModel, _ manifest: Manifest, _ clang: Clang, in folder: String)
    throws(Diagnostic)
  {
    let kept = try BuildFolder.permanent(folder)
    try kept.write(model, manifest: try manifest.encoded())
    // The resolved name, so that the folder builds the same on another machine.
    let job = CompileJob(clang: clang, architecture: manifest.target, folder: folder)
    try kept.write(job.makefile())
  }

  private func writeExtras(_ manifest: Manifest) throws(Diagnostic) {
    if let report = options.report {
      try FileInTheMaking.write(try manifest.encoded(), to: report)
    }
    if let header = options.header {
      guard let file = Prelude.files.first(where: { $0.name == "sparsec.h" }) else {
        preconditionFailure("the public header is part of the prelude")
      }
      try FileInTheMaking.write(file.bytes, to: header)
    }
  }
}

/// Introduces the catalog of kernels to the pass that chooses among them.
struct CatalogSource: KernelSource {
  let catalog: KernelCatalog
  /// What was measured on this machine, if that shall count.
  var times: KernelTimes?

  func candidates(for node: NodeID, in graph: Graph) -> [KernelCandidate] {
    let candidates = catalog.candidates(for: node, in: graph)
    guard let times else { return candidates }
    let fingerprint = KernelTimes.fingerprint(of: node, in: graph, catalog.target)
    return candidates.map { candidate in
      var candidate = candidate
      candidate.measuredCost = times[fingerprint, candidate.kernel]
      return candidate
    }
  }

  func breakEvenSparsity(of node: NodeID, in graph: Graph) -> Double? {
    catalog.breakEvenSparsity(of: node, in: graph)
  }

  func copySeconds(of value: ValueID, in graph: Graph) -> Double {
    catalog.copySeconds(of: value, in: graph)
  }
}

extension LoweredGraph {
  /// Takes over what was measured of each layer's candidates, and no choice.
  fileprivate mutating func note(measured other: LoweredGraph) {
    for (id, choice) in kernels {
      guard let measured = other.kernels[id]?.candidates else { continue }
      for (index, candidate) in choice.candidates.enumerated() {
        let same = measured.first { $0.kernel == candidate.kernel }
        kernels[id]?.candidates[index].measuredCost = same?.measuredCost
      }
    }
  }
}
