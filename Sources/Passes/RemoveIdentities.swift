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
    let input = node.inputs[0]
    // Outputs of the network are made by exactly one layer each, so at most one of these copies can take
    // its place, and only if the input has a layer and is not an output itself.
    let kept = node.outputs.filter { result.graph.isOutput($0) }
    if kept.isEmpty {
      for output in node.outputs { result.graph.replaceUses(of: output, with: input) }
    } else if kept.count == 1, let producer = result.graph.producer(of: input),
      !result.graph.isOutput(input),
      let index = result.graph[producer].outputs.firstIndex(of: input)
    {
      for output in node.outputs where output != kept[0] {
        result.graph.replaceUses(of: output, with: kept[0])
      }
      result.graph.replaceUses(of: input, with: kept[0])
      result.graph.adopt(kept[0], asOutput: index, of: producer)
    } else {
      result.findings.append(Finding(node, .kept, "its copies are outputs of the network"))
      return
    }
    result.graph.remove(id)
    let what = node.operation.layer.typeName == "Split" ? "copies" : "passes on"
    result.findings.append(Finding(node, .removed, "it only \(what) its input at test time"))
  }
}
