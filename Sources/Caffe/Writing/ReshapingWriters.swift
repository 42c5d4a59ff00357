import IR

/// Writers of the layers that change shapes or reduce axes.
enum ReshapingWriters {
  static func flatten(_ layer: Flatten) -> LayerForm {
    LayerForm("Flatten", "flatten_param") {
      $0.add("axis", layer.axis)
      $0.add("end_axis", layer.endAxis)
    }
  }

  static func reshape(_ layer: Reshape) -> LayerForm {
    LayerForm("Reshape", "reshape_param") {
      $0.add("shape", shape: layer.extents)
      $0.add("axis", layer.axis)
      $0.add("num_axes", layer.replacedAxes)
    }
  }

  static func crop(_ layer: Crop) -> LayerForm {
    LayerForm("Crop", "crop_param") {
      $0.add("axis", layer.axis)
      $0.add("offset", each: layer.offsets)
    }
  }

  static func reduction(_ layer: Reduction) -> LayerForm {
    LayerForm("Reduction", "reduction_param") {
      $0.add("operation", word: word(layer.operation))
      $0.add("axis", layer.axis)
      $0.add("coeff", layer.coefficient)
    }
  }

  private static func word(_ operation: Reduction.Operation) -> String {
    switch operation {
    case .sum: "SUM"
    case .sumOfAbsolutes: "ASUM"
    case .sumOfSquares: "SUMSQ"
    case .mean: "MEAN"
    }
  }

  static func argMax(_ layer: ArgMax) -> LayerForm {
    LayerForm("ArgMax", "argmax_param") {
      $0.add("out_max_val", layer.writesValues)
      $0.add("top_k", layer.top)
      // Without an axis is another layer than with any of them.
      if let axis = layer.axis { $0.append("axis", .integer(Int64(axis))) }
    }
  }
}
