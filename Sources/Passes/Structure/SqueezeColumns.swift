import IR

/// Finds the columns of weight matrices that are zero in a whole group of filters.
///
/// A column is what all filters of a group read of one place in the window: shape-wise sparsity. The shape of a
/// layer cannot lose one, but no kernel stores or multiplies it: the compact product has only the rows and
/// columns that hold something (SSL's CCNMM), the sparse ones only what is not zero. The graph stays as it is;
/// the report counts what is left out.
public struct SqueezeColumns: Pass {
  public let name = "squeeze-columns"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      let node = graph[id]
      guard case .convolution(let convolution) = node.operation,
        // All points are multiplied.
        !convolution.isInWinogradDomain, let layer = WeightedLayer(node, in: graph)
      else { continue }
      let (columns, weights) = emptyColumns(of: layer)
      guard columns > 0 else { continue }
      let output = graph[node.outputs[0]].shape
      result.columns += columns
      result.skippedMultiplyAdds += weights * (output.count / layer.filters)
      result.skippedBytes += 4 * weights
      let all = layer.channels * layer.taps
      result.findings.append(
        Finding(node, .changed, "\(columns) of \(plural(all, "column")) hold only zeros"))
    }
    return result
  }

  /// The number of columns without a nonzero, over all groups, and of the weights in them.
  private func emptyColumns(of layer: WeightedLayer) -> (columns: Int, weights: Int) {
    let perGroup = layer.channelsPerGroup * layer.taps
    var columns = 0
    layer.weights.values.withUnsafeBufferPointer { weights in
      for group in 0..<layer.groups {
        var isUsed = [Bool](repeating: false, count: perGroup)
        for filter in layer.filters(of: group) {
          for column in 0..<perGroup where weights[filter * perGroup + column] != 0 {
            isUsed[column] = true
          }
        }
        columns += isUsed.count { !$0 }
      }
    }
    return (columns, columns * layer.filtersPerGroup)
  }
}
