import IR

extension Graph {
  /// The share of a value's elements that are expected not to be zero: half of what a ReLU made, all of
  /// anything else.
  ///
  /// Trained networks have 10 to 50 % live behind a ReLU; the largest of a window of them is live more often.
  func liveShare(of value: ValueID) -> Double {
    guard let producer = producer(of: value) else { return 1 }
    let node = self[producer]
    switch node.operation {
    case .convolution(let layer): return Self.liveShare(behind: layer.activation)
    case .innerProduct(let layer): return Self.liveShare(behind: layer.activation)
    case .elementwise(let layer): return Self.liveShare(behind: layer.function)
    // Windows and parts of what a ReLU made; an average of a few zeros is still often zero.
    case .concat, .crop, .flatten, .identity, .lrn, .pooling, .repack, .reshape, .slice, .split,
      .spatialPyramidPooling:
      return isGlobalAverage(node) ? 1 : liveShare(of: node.inputs[0])
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .constant, .deconvolution,
      .eltwise, .embed, .im2col, .mvn, .parameter, .preLU, .reduction, .scale, .silence, .softmax,
      .tile:
      return 1
    }
  }

  private static func liveShare(behind function: ElementwiseFunction?) -> Double {
    if case .relu(let slope)? = function, slope == 0 { return 0.5 }
    return 1
  }

  /// The mean of a whole plane is seldom zero.
  private func isGlobalAverage(_ node: Node) -> Bool {
    guard case .pooling(let layer) = node.operation, layer.reduction == .average else {
      return false
    }
    let shape = self[node.outputs[0]].shape
    return shape.axes == 4 && shape[2] * shape[3] == 1
  }
}
