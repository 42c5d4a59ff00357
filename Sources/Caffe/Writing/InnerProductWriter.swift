import IR

/// Writers of the layers that multiply by a matrix.
enum InnerProductWriter {
  static func innerProduct(_ layer: InnerProduct, _ blobs: [Tensor]) throws(Inexpressible)
    -> LayerForm
  {
    try LayerForms.requireNoActivation(layer.activation)
    return LayerForm("InnerProduct", "inner_product_param", blobs: blobs) {
      $0.add("num_output", layer.outputs)
      $0.add("bias_term", layer.hasBias)
      $0.add("axis", layer.axis)
      $0.add("transpose", layer.isTransposed)
    }
  }

  static func embed(_ layer: Embed, _ blobs: [Tensor]) -> LayerForm {
    LayerForm("Embed", "embed_param", blobs: blobs) {
      $0.add("num_output", layer.outputs)
      $0.add("input_dim", layer.rows)
      $0.add("bias_term", layer.hasBias)
    }
  }
}
