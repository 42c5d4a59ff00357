import IR

/// Readers of the layers that pool.
enum PoolingReader {
  static func pooling(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("pooling_param")
    var pooling = Pooling(
      reduction: reduction(parameters.enumName("pool")),
      window: Window(kernel: [1, 1]),
      rounding: parameters.enumName("round_mode") == "FLOOR" ? .down : .up,
      isGlobal: parameters.bool("global_pooling"))
    if pooling.isGlobal {
      try requireNoWindow(layer, parameters)
    } else {
      pooling.window = try window(layer, parameters)
    }
    if pooling.window.pad != [0, 0], pooling.reduction == .stochastic {
      throw layer.refusal("stochastic pooling has no padding", of: parameters)
    }
    if layer.tops.count == 2 {
      guard pooling.reduction == .max else {
        throw layer.refusal("only MAX pooling has a second top, the positions", at: "top")
      }
      pooling.writesPositions = true
    }
    return [.pooling(pooling)]
  }

  /// Pooling with the ReLU built in, as SkimCaffe has it: maxima start at 0.
  static func withReLU(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    try layer.requireNoSlope()
    let parameters = layer.message.message("pooling_param")
    guard parameters.enumName("pool") == "MAX" else {
      throw layer.refusal("pooling with a ReLU is MAX pooling", at: "pool", of: parameters)
    }
    return try pooling(layer).map { operation in
      guard case .pooling(var pooling) = operation else { return operation }
      pooling.startsAtZero = true
      return .pooling(pooling)
    }
  }

  static func pyramid(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("spp_param")
    let method = parameters.enumName("pool")
    guard method != "STOCHASTIC" else {
      throw layer.refusal("stochastic pyramids are not supported", at: "pool", of: parameters)
    }
    return [
      .spatialPyramidPooling(
        SpatialPyramidPooling(
          height: try layer.count("pyramid_height", of: parameters),
          reduction: reduction(method)))
    ]
  }

  private static func reduction(_ method: String) -> Pooling.Reduction {
    switch method {
    case "AVE": .average
    case "STOCHASTIC": .stochastic
    default: .max
    }
  }

  private static func requireNoWindow(_ layer: LayerDefinition, _ parameters: TextMessage)
    throws(Diagnostic)
  {
    for name in ["kernel_size", "kernel_h", "kernel_w"] where parameters.has(name) {
      throw layer.refusal(
        "global_pooling takes the whole image; remove \(name)", at: name, of: parameters)
    }
    for (name, usual) in [
      ("pad", 0), ("pad_h", 0), ("pad_w", 0), ("stride", 1), ("stride_h", 1), ("stride_w", 1),
    ] where parameters.has(name) && parameters.integer(name) != usual {
      throw layer.refusal(
        "global_pooling works with \(name) \(usual) only", at: name, of: parameters)
    }
  }

  private static func window(_ layer: LayerDefinition, _ parameters: TextMessage)
    throws(Diagnostic) -> Window
  {
    let kernel = try pair(layer, parameters, "kernel_size", "kernel_h", "kernel_w")
    guard let kernel else {
      throw layer.refusal("kernel_size is missing", of: parameters)
    }
    return Window(
      kernel: kernel,
      stride: try pair(layer, parameters, "stride", "stride_h", "stride_w") ?? [1, 1],
      pad: try pair(layer, parameters, "pad", "pad_h", "pad_w") ?? [0, 0],
      dilation: [1, 1])
  }

  /// One extent for both axes, or one each; nil if neither is given.
  private static func pair(
    _ layer: LayerDefinition, _ parameters: TextMessage, _ both: String, _ height: String,
    _ width: String
  ) throws(Diagnostic) -> [Int]? {
    let hasHeight = parameters.has(height)
    guard hasHeight == parameters.has(width) else {
      throw layer.refusal(
        "\(height) and \(width) go together", at: hasHeight ? height : width, of: parameters)
    }
    if hasHeight {
      guard !parameters.has(both) else {
        throw layer.refusal(
          "\(both) and \(height) both size the window; keep one of them", at: both, of: parameters)
      }
      return [parameters.integer(height), parameters.integer(width)]
    }
    guard parameters.has(both) else { return nil }
    return [parameters.integer(both), parameters.integer(both)]
  }
}
