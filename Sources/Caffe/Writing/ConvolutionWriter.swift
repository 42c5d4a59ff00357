import IR

/// Writers of the layers that slide filters.
enum ConvolutionWriter {
  static func convolution(_ layer: Convolution, _ blobs: [Tensor]) throws(Inexpressible)
    -> LayerForm
  {
    try LayerForms.requireNoActivation(layer.activation)
    if layer.addsToInput {
      throw Inexpressible("a sum was fused into it; write the network before sums are fused")
    }
    var blobs = blobs
    if layer.isInWinogradDomain, !blobs.isEmpty { blobs[0] = WinogradDomain.turned(blobs[0]) }
    return form(
      layer.typeName, layer.window, filters: layer.filters, groups: layer.groups, axis: layer.axis,
      hasBias: layer.hasBias, blobs)
  }

  static func deconvolution(_ layer: Deconvolution, _ blobs: [Tensor]) -> LayerForm {
    form(
      "Deconvolution", layer.window, filters: layer.filters, groups: layer.groups,
      axis: layer.axis, hasBias: layer.hasBias, blobs)
  }

  static func im2col(_ layer: Im2col) -> LayerForm {
    LayerForm("Im2col", "convolution_param") {
      add(layer.window, to: &$0)
      $0.add("axis", layer.axis)
    }
  }

  private static func form(
    _ type: String, _ window: Window, filters: Int, groups: Int, axis: Int, hasBias: Bool,
    _ blobs: [Tensor]
  ) -> LayerForm {
    LayerForm(type, "convolution_param", blobs: blobs) {
      $0.add("num_output", filters)
      $0.add("bias_term", hasBias)
      add(window, to: &$0)
      $0.add("group", groups)
      $0.add("axis", axis)
    }
  }

  /// One number for all axes where they agree, else one each.
  private static func add(_ window: Window, to message: inout TextMessage) {
    // Caffe wants a kernel size even if there is no axis that it could be the size of.
    let kernel = window.axes == 0 ? [1] : window.kernel
    let lists = [("pad", window.pad, 0), ("kernel_size", kernel, -1)]
    let rest = [("stride", window.stride, 1), ("dilation", window.dilation, 1)]
    for (name, values, usual) in lists + rest where values.contains(where: { $0 != usual }) {
      message.add(name, each: Set(values).count == 1 ? [values[0]] : values)
    }
  }
}
