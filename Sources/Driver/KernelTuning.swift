import Codegen
import Foundation
import IR
import Passes

/// Measures the kernels that could do a network's layers, each in its place in the network.
///
/// Every round compiles the network once with another kernel in every layer that has one left to try, runs it, and
/// notes the time of each layer: as many compilations as the layer with the most candidates has, not as many as
/// there are combinations. Candidates that the model predicts to be far slower are left out.
struct KernelTuning {
  let clang: Clang
  let target: Target
  let stage: Compiler.Lowered
  let options: CompileOptions
  let progress: (String, Double) -> Void

  /// How much slower than the best a candidate may be predicted to be measured.
  private static let longestShot = 4.0
  /// Seconds of measuring in each round.
  private static let seconds = 0.6

  /// Measures what `times` does not know yet. Throws if this machine cannot run what it compiles.
  func measure(_ times: inout KernelTimes) throws(Diagnostic) {
    let open = openCandidates(times)
    let rounds = open.values.map(\.count).max() ?? 0
    for round in 0..<rounds {
      progress("measure kernels", 0.2 + 0.5 * Double(round) / Double(rounds))
      var wishes = options.forcedKernels
      for (layer, kernels) in open where round < kernels.count {
        wishes[stage.graph[layer].name] = kernels[round]
      }
      let result = try time(try choose(wishes))
      var measured: [String: [String: Double]] = [:]
      for layer in result.layers ?? [] { measured[layer.name] = [layer.kernel: layer.ms * 1e-3] }
      for layer in tunable {
        let fingerprint = KernelTimes.fingerprint(of: layer, in: stage.graph, target)
        for (kernel, seconds) in measured[stage.graph[layer].name] ?? [:] {
          times[fingerprint, kernel] = min(times[fingerprint, kernel] ?? .infinity, seconds)
        }
      }
    }
  }

  /// Whether the network with the measured choices is no slower than the one with the model's, run side by side.
  func isFaster(_ measured: LoweredGraph) throws(Diagnostic) -> Bool {
    let kernels = { (lowered: LoweredGraph) in
      lowered.graph.order.map { lowered.kernels[$0]?.kernel }
    }
    guard kernels(measured) != kernels(stage.lowered) else { return true }
    progress("compare with the model's choice", 0.75)
    let folder = try BuildFolder.temporary()
    let files = ["\(folder.path)/model.so", "\(folder.path)/measured.so"]
    for (lowered, file) in zip([stage.lowered, measured], files) { try build(lowered, file) }
    // In turn, and the best median of each: another process cannot spoil all of them.
    var best = [Double.infinity, .infinity]
    for _ in 0..<3 {
      for (index, file) in files.enumerated() {
        best[index] = min(best[index], try bench(file, layers: false).latencyMs.median)
      }
    }
    return best[1] <= best[0]
  }

  // MARK: Candidates

  /// Layers whose name stands for them alone, so that their time can be told.
  private var tunable: [NodeID] {
    let names = Dictionary(grouping: stage.graph.order) { stage.graph[$0].name }
    return stage.graph.order.filter { id in
      let name = stage.graph[id].name
      return names[name]?.count == 1 && options.forcedKernels[name] == nil
    }
  }

  /// For each layer with a choice the kernels without a time, best predicted first.
  private func openCandidates(_ times: KernelTimes) -> [NodeID: [String]] {
    var open: [NodeID: [String]] = [:]
    for id in tunable {
      let kernels = worthMeasuring(id)
      guard kernels.count > 1 else { continue }
      let fingerprint = KernelTimes.fingerprint(of: id, in: stage.graph, target)
      let unknown = kernels.filter { times[fingerprint, $0] == nil }
      if !unknown.isEmpty { open[id] = unknown }
    }
    return open
  }

  /// The kernels of a layer that are not predicted to be far slower than the best, best first.
  private func worthMeasuring(_ id: NodeID) -> [String] {
    guard let candidates = stage.lowered.kernels[id]?.candidates else { return [] }
    let fitting = candidates.filter { $0.cost != nil }
    guard let best = fitting.compactMap(\.cost).min() else { return [] }
    let near = fitting.filter { ($0.cost ?? .infinity) <= best * Self.longestShot }
    return near.sorted { ($0.cost ?? 0) < ($1.cost ?? 0) }.map(\.kernel)
  }

  // MARK: Running

  private func choose(_ wishes: [String: String]) throws(Diagnostic) -> LoweredGraph {
    var chooser = ChooseKernels(
      source: CatalogSource(catalog: KernelCatalog(target: target)), forced: wishes)
    chooser.codeBudget = .max
    return try chooser.run(stage.graph)
  }

  private func time(_ lowered: LoweredGraph) throws(Diagnostic) -> BenchmarkResult {
    let folder = try BuildFolder.temporary()
    let file = "\(folder.path)/candidate.so"
    try build(lowered, file)
    return try bench(file, layers: true)
  }

  private func bench(_ file: String, layers: Bool) throws(Diagnostic) -> BenchmarkResult {
    var options = BenchmarkOptions(network: file)
    options.warmup = 0.1
    options.time = Self.seconds
    options.measuresLayers = layers
    return try Benchmark(options).run()
  }

  private func build(_ lowered: LoweredGraph, _ file: String) throws(Diagnostic) {
    var variant = stage
    variant.lowered = lowered
    let model = ModelEmitter(
      lowered: lowered, target: target, maximumBatch: stage.maximumBatch
    ).emit()
    // Labels and pictures have nothing to do with speed.
    var plain = options
    plain.labels = nil
    plain.preprocessing = PreprocessingOptions()
    let manifest = try ManifestBuilder(variant, model, plain).manifest()
    let folder = try BuildFolder.temporary()
    try folder.write(model, manifest: try manifest.encoded())
    try CompileJob(clang: clang, architecture: options.target, folder: folder.path)
      .run(code: model.code, to: file)
  }
}
