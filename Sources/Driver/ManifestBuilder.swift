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
    let summary = PassSummary(stage.source.graph, stage.reports)
    return Manifest(
      compiler: Version.text, name: graph.name, target: stage.target.architecture,
      batch: Manifest.Batch(maximum: stage.maximumBatch, fixedBecause: fixedBecause),
      inputs: graph.inputs.map(tensor), outputs: graph.outputs.map(tensor), layers: layers(),
      removed: summary.removed + idleLayers(), folded: summary.folded, kept: summary.kept,
      reduced: reducedBlobs(), passes: summary.passes, source: summary.source,
      memory: Manifest.Memory(
        arenaBytes: 4 * (model.arenaFloats + model.scratchFloats), weightBytes: model.weights.count,
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
    // A copy bears its first reader's name, but need not stand right before it.
    var pending: [String: [Int]] = [:]
    for (index, step) in model.steps.enumerated() {
      let name = graph[step.node].name
      if case .repack = graph[step.node].operation {
        pending[name, default: []].append(index)
        continue
      }
      entries.append(layer(step.node, steps: (pending.removeValue(forKey: name) ?? []) + [index]))
    }
    return entries
  }

  private func layer(_ id: NodeID, steps: [Int]) -> Manifest.Layer {
    let node = graph[id]
    guard let choice = stage.lowered.kernels[id] else {
      preconditionFailure("every node has a kernel")
    }
    let weights = node.operation.hasWeights ? node.parameters.first : nil
    let dense = node.operation.layer.multiplyAdds(
      inputs: graph.inputShapes(of: id), outputs: graph.outputShapes(of: id))
    let density = weights?.density ?? 1
    return Manifest.Layer(
      name: node.name, type: node.sourceType, fused: node.fused.map(\.name),
      kernel: choice.kernel, reason: choice.reason, predictedMs: choice.predictedCost * 1e3,
      breakEvenSparsity: choice.breakEvenSparsity, nonzeros: weights?.nonzeroCount ?? 0,
      weights: weights?.count ?? 0,
      denseMultiplyAdds: dense, nonzeroMultiplyAdds: Int(Double(dense) * density),
      candidates: choice.candidates.map(candidate), hint: node.kernelHint?.text, steps: steps)
  }

  private func candidate(_ candidate: KernelCandidate) -> Manifest.Candidate {
    let hinted = candidate.isHinted ? true : nil
    switch candidate.fit {
    case .fits(let cost):
      return Manifest.Candidate(
        kernel: candidate.kernel, predictedMs: cost * 1e3,
        measuredMs: candidate.measuredCost.map { $0 * 1e3 }, hinted: hinted)
    case .declines(let reason):
      return Manifest.Candidate(kernel: candidate.kernel, declined: reason, hinted: hinted)
    }
  }

  /// Layers that turned out to need no work at all.
  private func idleLayers() -> [Manifest.Removed] {
    let running = Set(model.steps.map(\.node))
    return graph.order.filter { !running.contains($0) }.map { id in
      Manifest.Removed(
        name: graph[id].name, type: graph[id].sourceType, by: "memory-plan",
        reason: "its result already lies where it belongs")
    }
  }

  /// Values with fewer channels than the blob of the file, in the order of the network's list of blobs.
  private func reducedBlobs() -> [Manifest.ReducedBlob] {
    let source = stage.source.graph
    var channels: [BlobKey: Int] = [:]
    for value in source.liveValues where !source[value].isInternal && source[value].shape.axes > 1 {
      channels[BlobKey(source[value])] = source[value].shape[1]
    }
    return graph.liveValues.map { graph[$0] }.filter { !$0.isInternal }.compactMap { value in
      guard let left = value.channels else { return nil }
      guard let all = channels[BlobKey(value)] else {
        preconditionFailure("a blob that lost channels is one of the file's")
      }
      return Manifest.ReducedBlob(
        blob: value.name, layer: value.layer, channels: left, of: all)
    }
  }

  /// What images go through by default: only for networks whose first input is a picture.
  private func bakedPreprocessing() throws(Diagnostic) -> Preprocessing? {
    guard let input = graph.inputs.first else { return nil }
    return try PreprocessingPlan.baked(for: graph[input].shape.extents, options.preprocessing)
  }
}

extension IR.Operation {
  /// Whether its first parameter is learned, and multiplied with its input: not what passes put into constants,
  /// border biases and normalisations of fewer channels.
  fileprivate var hasWeights: Bool {
    switch self {
    case .borderBias, .constant, .lrn: false
    case .argMax, .batchNorm, .batchReindex, .bias, .concat, .convolution, .crop, .deconvolution,
      .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct, .mvn,
      .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      true
    }
  }
}
