import Codegen
import Foundation
import IR
import Images
import Passes

/// Puts together what a compiled network says about itself.
struct ManifestBuilder {
  let stage: Compiler.Lowered
  let model: EmittedModel
  let options: CompileOptions

  init(_ stage: Compiler.Lowered, _ model: EmittedModel, _ options: CompileOptions) {
    self.stage = stage
    self.model = model
    self.options = options
  }

  private var graph: Graph { stage.lowered.graph }

  func manifest() throws(Diagnostic) -> Manifest {
    Manifest(
      compiler: Version.text, name: graph.name, target: stage.target.architecture,
      batch: Manifest.Batch(maximum: stage.maximumBatch, fixedBecause: fixedBecause),
      inputs: graph.inputs.map(tensor), outputs: graph.outputs.map(tensor), layers: layers(),
      removed: removed(), passes: stage.reports.map(pass),
      memory: Manifest.Memory(
        arenaBytes: 4 * model.arenaFloats, weightBytes: model.weights.count,
        sourceWeightBytes: stage.source.graph.parameterBytes),
      notes: stage.source.findings.map(\.description),
      preprocessing: try bakedPreprocessing(),
      labels: try options.labels.map { path throws(Diagnostic) in try Labels.read(path) })
  }

  private var fixedBecause: String? {
    if case .fixed(let reason) = graph.batch { return reason }
    return nil
  }

  private func tensor(_ value: ValueID) -> Manifest.Tensor {
    Manifest.Tensor(name: graph[value].name, shape: graph[value].shape.extents)
  }

  /// One entry per layer of the file that is still there; copies count to the layer that needed them.
  private func layers() -> [Manifest.Layer] {
    var entries: [Manifest.Layer] = []
    var pending: [Int] = []
    for (index, step) in model.steps.enumerated() {
      if case .repack = graph[step.node].operation {
        pending.append(index)
        continue
      }
      entries.append(layer(step.node, steps: pending + [index]))
      pending = []
    }
    return entries
  }

  private func layer(_ id: NodeID, steps: [Int]) -> Manifest.Layer {
    let node = graph[id]
    guard let choice = stage.lowered.kernels[id] else {
      preconditionFailure("every node has a kernel")
    }
    let weights = node.parameters.first
    let dense = node.operation.layer.multiplyAdds(
      inputs: graph.inputShapes(of: id), outputs: graph.outputShapes(of: id))
    let density = weights?.density ?? 1
    return Manifest.Layer(
      name: node.name, type: node.sourceType, fused: node.fused.map(\.name),
      kernel: choice.kernel, reason: choice.reason, predictedMs: choice.predictedCost * 1e3,
      nonzeros: weights?.nonzeroCount ?? 0, weights: weights?.count ?? 0,
      denseMultiplyAdds: dense, nonzeroMultiplyAdds: Int(Double(dense) * density),
      candidates: choice.candidates.map(candidate), hint: node.kernelHint, steps: steps)
  }

  private func candidate(_ candidate: KernelCandidate) -> Manifest.Candidate {
    switch candidate.fit {
    case .fits(let cost):
      return Manifest.Candidate(
        kernel: candidate.kernel, predictedMs: cost * 1e3, declined: nil)
    case .declines(let reason):
      return Manifest.Candidate(kernel: candidate.kernel, predictedMs: nil, declined: reason)
    }
  }

  private func pass(_ report: PassReport) -> Manifest.Pass {
    Manifest.Pass(
      name: report.name, filters: report.filters, channels: report.channels,
      columns: report.columns, layers: report.layers, multiplyAdds: report.multiplyAdds,
      bytes: report.bytes)
  }

  /// Layers that are gone, by pass; and those that turned out to need no work at all.
  private func removed() -> [Manifest.Removed] {
    var result: [Manifest.Removed] = []
    for report in stage.reports {
      for finding in report.findings {
        switch finding.kind {
        case .removed:
          result.append(
            Manifest.Removed(
              name: finding.layer, type: finding.type, by: report.name, reason: finding.reason))
        case .fused(let into):
          result.append(
            Manifest.Removed(
              name: finding.layer, type: finding.type, by: report.name,
              reason: "fused into \(into): \(finding.reason)"))
        case .kept, .changed: break
        }
      }
    }
    let running = Set(model.steps.map(\.node))
    for id in graph.order where !running.contains(id) {
      result.append(
        Manifest.Removed(
          name: graph[id].name, type: graph[id].sourceType, by: "memory-plan",
          reason: "its result already lies where it belongs"))
    }
    return result
  }

  /// What images go through by default: only for networks whose first input is a picture.
  private func bakedPreprocessing() throws(Diagnostic) -> Preprocessing? {
    guard let input = graph.inputs.first else { return nil }
    return try PreprocessingPlan.baked(for: graph[input].shape.extents, options.preprocessing)
  }
}
