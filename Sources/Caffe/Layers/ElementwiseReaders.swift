import IR

/// Readers of the layers that treat every element alike.
enum ElementwiseReaders {
  static func plain(_ function: ElementwiseFunction)
    -> @Sendable (LayerDefinition) throws(Diagnostic) -> [Operation]
  {
    { layer throws(Diagnostic) in [.elementwise(Elementwise(function))] }
  }

  static func relu(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let slope = layer.message.message("relu_param").float("negative_slope")
    return [.elementwise(Elementwise(.relu(slope: slope)))]
  }

  static func preLU(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.preLU(PReLU(isShared: layer.message.message("prelu_param").bool("channel_shared")))]
  }

  static func elu(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.elementwise(Elementwise(.elu(alpha: layer.message.message("elu_param").float("alpha"))))]
  }

  static func power(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("power_param")
    return [
      .elementwise(
        Elementwise(
          .power(
            power: parameters.float("power"), scale: parameters.float("scale"),
            shift: parameters.float("shift"))))
    ]
  }

  static func exponential(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("exp_param")
    return [
      .elementwise(
        Elementwise(
          .exponential(
            base: try base(layer, parameters), scale: parameters.float("scale"),
            shift: parameters.float("shift"))))
    ]
  }

  static func logarithm(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("log_param")
    return [
      .elementwise(
        Elementwise(
          .logarithm(
            base: try base(layer, parameters), scale: parameters.float("scale"),
            shift: parameters.float("shift"))))
    ]
  }

  /// -1 stands for e.
  private static func base(_ layer: LayerDefinition, _ parameters: TextMessage)
    throws(Diagnostic) -> Float?
  {
    let base = parameters.float("base")
    if base == -1 { return nil }
    guard base > 0 else {
      throw layer.refusal("the base \(base) is not positive", at: "base", of: parameters)
    }
    return base
  }

  static func threshold(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let threshold = layer.message.message("threshold_param").float("threshold")
    return [.elementwise(Elementwise(.threshold(threshold)))]
  }

  static func clip(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("clip_param")
    guard parameters.has("min"), parameters.has("max") else {
      throw layer.refusal("clip_param needs min and max", of: parameters)
    }
    return [
      .elementwise(
        Elementwise(.clip(low: parameters.float("min"), high: parameters.float("max"))))
    ]
  }

  static func swish(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.elementwise(Elementwise(.swish(beta: layer.message.message("swish_param").float("beta"))))]
  }

  /// Dropout scales while training, so that nothing is left to do at test time.
  static func dropout(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.identity(Identity(of: "Dropout"))]
  }

  static func eltwise(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("eltwise_param")
    let coefficients = parameters.floats("coeff")
    let bottoms = layer.bottoms.count
    guard coefficients.isEmpty || coefficients.count == bottoms else {
      throw layer.refusal(
        "\(coefficients.count) values of coeff for \(bottoms) bottoms", at: "coeff",
        of: parameters)
    }
    switch parameters.enumName("operation") {
    case "PROD":
      guard coefficients.isEmpty else {
        throw layer.refusal("coeff is for SUM only", at: "coeff", of: parameters)
      }
      return [.eltwise(Eltwise(.product))]
    case "MAX": return [.eltwise(Eltwise(.maximum))]
    default:
      let ones = [Float](repeating: 1, count: bottoms)
      return [
        .eltwise(Eltwise(.sum(coefficients: coefficients.isEmpty ? ones : coefficients)))
      ]
    }
  }

  static func scale(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("scale_param")
    return [
      .scale(
        Scale(
          axis: parameters.integer("axis"), spannedAxes: parameters.integer("num_axes"),
          hasBias: parameters.bool("bias_term")))
    ]
  }

  static func bias(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("bias_param")
    return [
      .bias(
        Bias(axis: parameters.integer("axis"), spannedAxes: parameters.integer("num_axes")))
    ]
  }
}
