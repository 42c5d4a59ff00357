import IR

/// Removes layers that pass their input on unchanged (Dropout at test time, Split) or swallow it (Silence).
///
/// A value that is a network output, or an input that would become one, keeps its layer: its name is part
/// of the network's interface.
public struct RemoveIdentities: Pass {
  public let name = "remove-identities"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      let node = graph[id]
      switch node.operation {
      case .silence:
        result.graph.remove(id)
        result.findings.append(Finding(node, .removed, "it only swallows its inputs"))
      case .identity, .split:
        remove(id, from: &result)
      case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .convolution,
        .crop, .deconvolution, .elementwise, .eltwise, .embed, .flatten, .im2col, .innerProduct,
        .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .scale, .slice,
        .softmax, .spatialPyramidPooling, .tile:
        break
      }
    }
    return result
  }

  private func remove(_ id: NodeID, from result: inout PassOutcome) {
    let node = result.graph[id]
    guard result.graph.bypass(id) else {
      result.findings.append(Finding(node, .kept, "its copies are outputs of the network"))
      return
    }
    let what = node.operation.layer.typeName == "Split" ? "copies" : "passes on"
    result.findings.append(Finding(node, .removed, "it only \(what) its input at test time"))
  }
}

extension Graph {
  /// Removes a layer whose outputs are all copies of its first input; its readers read the input instead.
  ///
  /// Outputs of the network are made by one layer each, and keep their names: at most one copy can take the
  /// input's place, and only if the input has a layer and is not an output itself. Returns false, and
  /// leaves the graph as it is, if that cannot be.
  mutating func bypass(_ id: NodeID) -> Bool {
    let node = self[id]
    let input = node.inputs[0]
    let kept = node.outputs.filter { isOutput($0) }
    if kept.isEmpty {
      for output in node.outputs { replaceUses(of: output, with: input) }
    } else if kept.count == 1, let producer = producer(of: input), !isOutput(input),
      let index = self[producer].outputs.firstIndex(of: input)
    {
      for output in node.outputs where output != kept[0] { replaceUses(of: output, with: kept[0]) }
      replaceUses(of: input, with: kept[0])
      adopt(kept[0], asOutput: index, of: producer)
    } else {
      return false
    }
    remove(id)
    return true
  }
}
