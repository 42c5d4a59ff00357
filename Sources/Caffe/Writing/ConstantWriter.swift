import IR

/// Writes a Constant, which Caffe lacks, as layers that it has.
///
/// The input is reduced to one number per item, of which a Power with scale 0 makes a zero, whatever it was:
/// Caffe fills the blob then, so that no NaN or infinity gets through. A matrix of zeros keeps it a zero, its
/// bias holds the constant, and a Reshape gives that its extents.
enum ConstantWriter {
  static func chain(_ layer: Constant, _ blobs: [Tensor], input: Shape) -> [LayerForm] {
    let hasRows = input.axes > 1
    let sum = Reduction(axis: 1)
    let zero = ElementwiseFunction.power(power: 1, scale: 0, shift: 0)
    let matrix = matrix(blobs[0])
    let parts = [
      ElementwiseWriters.function(zero).asPart("zero", isInPlace: hasRows),
      ReshapingWriters.reshape(Reshape(extents: [0, 1])).asPart("column"),
    ]
    let start = hasRows ? [ReshapingWriters.reduction(sum).asPart("sum")] + parts : parts
    if layer.extents.count == 1 { return start + [matrix] }
    return start + [
      matrix.asPart("values"), ReshapingWriters.reshape(Reshape(extents: [0] + layer.extents)),
    ]
  }

  /// One row of zeros and one bias for each value.
  private static func matrix(_ values: Tensor) -> LayerForm {
    let rows = Shape.vector(values.count)
    guard let column = try? Shape([values.count, 1]) else {
      preconditionFailure("as many elements as the values have")
    }
    return LayerForm(
      "InnerProduct", "inner_product_param",
      blobs: [Tensor(shape: column, repeating: 0), values.reshaped(to: rows)]
    ) { $0.add("num_output", values.count) }
  }
}
