import IR

/// Readers of the layers that change shapes or reduce axes.
enum ReshapingReaders {
  static func flatten(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    try layer.requireNotInPlace()
    let parameters = layer.message.message("flatten_param")
    return [
      .flatten(
        Flatten(axis: parameters.integer("axis"), endAxis: parameters.integer("end_axis")))
    ]
  }

  static func reshape(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    try layer.requireNotInPlace()
    let parameters = layer.message.message("reshape_param")
    let extents = parameters.message("shape").integers("dim")
    if let extent = extents.first(where: { $0 < -1 }) {
      throw layer.refusal("dim \(extent); -1 is inferred, 0 copied", at: "shape", of: parameters)
    }
    return [
      .reshape(
        Reshape(
          extents: extents, axis: parameters.integer("axis"),
          replacedAxes: parameters.integer("num_axes")))
    ]
  }

  static func crop(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("crop_param")
    return [
      .crop(Crop(axis: parameters.integer("axis"), offsets: parameters.integers("offset")))
    ]
  }

  static func reduction(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("reduction_param")
    let operation: Reduction.Operation
    switch parameters.enumName("operation") {
    case "ASUM": operation = .sumOfAbsolutes
    case "SUMSQ": operation = .sumOfSquares
    case "MEAN": operation = .mean
    default: operation = .sum
    }
    return [
      .reduction(
        Reduction(
          operation: operation, axis: parameters.integer("axis"),
          coefficient: parameters.float("coeff")))
    ]
  }

  static func argMax(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("argmax_param")
    return [
      .argMax(
        ArgMax(
          axis: parameters.has("axis") ? parameters.integer("axis") : nil,
          top: try layer.count("top_k", of: parameters),
          writesValues: parameters.bool("out_max_val")))
    ]
  }
}

extension LayerDefinition {
  /// Caffe refuses some layers whose top is their bottom.
  fileprivate func requireNotInPlace() throws(Diagnostic) {
    guard bottoms[0] != tops[0] else {
      throw refusal("it cannot work in place; give its top a name of its own", at: "top")
    }
  }
}
