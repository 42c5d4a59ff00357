import IR

/// Readers of the layers that multiply by a matrix.
enum InnerProductReader {
  static func innerProduct(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("inner_product_param")
    return [
      .innerProduct(
        InnerProduct(
          outputs: try layer.count("num_output", of: parameters),
          axis: parameters.integer("axis"),
          hasBias: parameters.bool("bias_term"),
          isTransposed: parameters.bool("transpose")))
    ]
  }

  /// InnerProductReLUDropout of SkimCaffe, which never drops anything.
  static func withReLU(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let slope = layer.message.message("relu_param").float("negative_slope")
    return try innerProduct(layer) + [.elementwise(Elementwise(.relu(slope: slope)))]
  }

  static func embed(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("embed_param")
    return [
      .embed(
        Embed(
          outputs: try layer.count("num_output", of: parameters),
          rows: try layer.count("input_dim", of: parameters),
          hasBias: parameters.bool("bias_term")))
    ]
  }
}
