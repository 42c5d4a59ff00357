import IR

/// Readers of the layers that slide filters, the fused ones of SkimCaffe included.
enum ConvolutionReader {
  static func convolution(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("convolution_param")
    return [
      .convolution(
        Convolution(
          filters: try layer.count("num_output", of: parameters),
          window: try window(layer, parameters),
          groups: try groups(layer, parameters),
          axis: parameters.integer("axis"),
          hasBias: parameters.bool("bias_term")))
    ]
  }

  static func deconvolution(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("convolution_param")
    return [
      .deconvolution(
        Deconvolution(
          filters: try layer.count("num_output", of: parameters),
          window: try window(layer, parameters),
          groups: try groups(layer, parameters),
          axis: parameters.integer("axis"),
          hasBias: parameters.bool("bias_term")))
    ]
  }

  static func im2col(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("convolution_param")
    return [
      .im2col(
        Im2col(window: try window(layer, parameters), axis: parameters.integer("axis")))
    ]
  }

  /// ConvolutionReLU of SkimCaffe.
  static func withReLU(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    try layer.requireNoSlope()
    return try convolution(layer) + [.elementwise(Elementwise(.relu(slope: 0)))]
  }

  /// ConvolutionReLUPool of SkimCaffe: maxima that start at 0 are the ReLU.
  static func withPooling(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    try convolution(layer) + PoolingReader.withReLU(layer)
  }

  /// ConvolutionReLUPoolLRN of SkimCaffe.
  static func withPoolingAndLRN(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    try withPooling(layer) + NormalizationReaders.lrn(layer)
  }

  /// Winograd of SkimCaffe: a convolution whose weights live in the Winograd domain.
  static func winograd(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let operations = try convolution(layer)
    guard case .convolution(var convolution) = operations[0] else { return operations }
    let window = convolution.window
    guard window.kernel == [3, 3] || window.kernel == [5, 5],
      window.stride == [1, 1], window.dilation == [1, 1]
    else {
      throw layer.refusal(
        "Winograd needs a 3x3 or 5x5 kernel, stride 1 and dilation 1; use Convolution")
    }
    guard layer.inputShapes[0].axes == 4, convolution.axis == 1 else {
      throw layer.refusal("Winograd is for images [N,C,H,W]; use Convolution")
    }
    convolution.isInWinogradDomain = true
    return [.convolution(convolution)]
  }

  private static func groups(_ layer: LayerDefinition, _ parameters: TextMessage)
    throws(Diagnostic) -> Int
  {
    let groups = try layer.count("group", of: parameters)
    let filters = parameters.integer("num_output")
    guard parameters.type != "ConvolutionParameter" || filters % groups == 0 else {
      throw layer.refusal(
        "num_output \(filters) is no multiple of group \(groups)", at: "group", of: parameters)
    }
    return groups
  }

  /// Extents for each spatial axis: one value for all, one each, or `_h` and `_w` for two axes.
  private static func window(_ layer: LayerDefinition, _ parameters: TextMessage)
    throws(Diagnostic) -> Window
  {
    let input = layer.inputShapes[0]
    let channelAxis = try layer.fitting(at: "axis", of: parameters) { () throws(ShapeError) in
      try input.canonicalAxis(parameters.integer("axis"))
    }
    let axes = input.axes - channelAxis - 1
    let reader = WindowReader(layer: layer, parameters: parameters, axes: axes)
    let window = Window(
      kernel: try reader.extents("kernel_size", "kernel_h", "kernel_w", otherwise: nil),
      stride: try reader.extents("stride", "stride_h", "stride_w", otherwise: 1),
      pad: try reader.extents("pad", "pad_h", "pad_w", otherwise: 0),
      dilation: try reader.extents("dilation", nil, nil, otherwise: 1))
    try layer.fitting(of: parameters) { () throws(ShapeError) in try window.check() }
    return window
  }
}

/// Reads the lists of a `ConvolutionParameter` that have one entry per spatial axis.
private struct WindowReader {
  var layer: LayerDefinition
  var parameters: TextMessage
  var axes: Int

  func extents(_ name: String, _ height: String?, _ width: String?, otherwise usual: Int?)
    throws(Diagnostic) -> [Int]
  {
    let values = parameters.integers(name)
    if let height, let width, parameters.has(height) || parameters.has(width) {
      let given = parameters.has(height) ? height : width
      guard values.isEmpty else {
        throw layer.refusal(
          "\(name) and \(given) both size the window; keep one of them", at: given, of: parameters)
      }
      guard axes == 2 else {
        throw layer.refusal(
          "\(given) is for two spatial axes, the input has \(axes); use \(name)",
          at: given, of: parameters)
      }
      if usual != 0, let missing = [height, width].first(where: { !parameters.has($0) }) {
        throw layer.refusal("\(given) without \(missing)", at: given, of: parameters)
      }
      return [parameters.integer(height), parameters.integer(width)]
    }
    if values.isEmpty {
      guard let usual else {
        throw layer.refusal("\(name) is missing", of: parameters)
      }
      return [Int](repeating: usual, count: axes)
    }
    guard values.count == 1 || values.count == axes else {
      throw layer.refusal(
        "\(values.count) values of \(name) for \(axes) spatial axes", at: name, of: parameters)
    }
    return values.count == 1 ? [Int](repeating: values[0], count: axes) : values
  }
}

extension LayerDefinition {
  /// The fused layers of SkimCaffe know no slope below zero.
  func requireNoSlope() throws(Diagnostic) {
    let relu = message.message("relu_param")
    guard relu.float("negative_slope") == 0 else {
      throw refusal("a fused ReLU has no negative_slope", at: "negative_slope", of: relu)
    }
  }
}
