import IR

/// Writers of the layers that treat every element alike.
enum ElementwiseWriters {
  static func function(_ function: ElementwiseFunction) -> LayerForm {
    let type = function.typeName
    switch function {
    case .sigmoid, .tanh, .absoluteValue, .softplus: return LayerForm(type)
    case .relu(let slope):
      return LayerForm(type, "relu_param") { $0.add("negative_slope", slope) }
    case .elu(let alpha): return LayerForm(type, "elu_param") { $0.add("alpha", alpha) }
    case .power(let power, let scale, let shift):
      return LayerForm(type, "power_param") {
        $0.add("power", power)
        $0.add("scale", scale)
        $0.add("shift", shift)
      }
    case .exponential(let base, let scale, let shift):
      return LayerForm(type, "exp_param") { add(base, scale, shift, to: &$0) }
    case .logarithm(let base, let scale, let shift):
      return LayerForm(type, "log_param") { add(base, scale, shift, to: &$0) }
    case .threshold(let threshold):
      return LayerForm(type, "threshold_param") { $0.add("threshold", threshold) }
    case .clip(let low, let high):
      // Both must be said, whatever they are.
      return LayerForm(type, "clip_param") {
        $0.append("min", .float(low))
        $0.append("max", .float(high))
      }
    case .swish(let beta): return LayerForm(type, "swish_param") { $0.add("beta", beta) }
    }
  }

  /// The usual base, -1, stands for e.
  private static func add(
    _ base: Float?, _ scale: Float, _ shift: Float, to message: inout TextMessage
  ) {
    message.add("base", base ?? -1)
    message.add("scale", scale)
    message.add("shift", shift)
  }

  static func preLU(_ layer: PReLU, _ blobs: [Tensor]) -> LayerForm {
    LayerForm("PReLU", "prelu_param", blobs: blobs) { $0.add("channel_shared", layer.isShared) }
  }

  static func eltwise(_ layer: Eltwise) -> LayerForm {
    LayerForm("Eltwise", "eltwise_param") {
      switch layer.combination {
      case .product: $0.add("operation", word: "PROD")
      case .maximum: $0.add("operation", word: "MAX")
      case .sum(let coefficients):
        if coefficients.contains(where: { $0 != 1 }) {
          for coefficient in coefficients { $0.append("coeff", .float(coefficient)) }
        }
      }
    }
  }

  static func scale(_ layer: Scale, _ blobs: [Tensor]) -> LayerForm {
    LayerForm("Scale", "scale_param", blobs: blobs) {
      $0.add("axis", layer.axis)
      $0.add("num_axes", layer.spannedAxes)
      $0.add("bias_term", layer.hasBias)
    }
  }

  static func bias(_ layer: Bias, _ blobs: [Tensor]) -> LayerForm {
    LayerForm("Bias", "bias_param", blobs: blobs) {
      $0.add("axis", layer.axis)
      $0.add("num_axes", layer.spannedAxes)
    }
  }

  /// Dropout does nothing at test time; what a pass left of another layer must do nothing in training too.
  static func identity(_ layer: Identity) -> LayerForm {
    LayerForm(isDropout(layer) ? "Dropout" : "Split")
  }

  static func isDropout(_ layer: Identity) -> Bool { layer.typeName == "Dropout" }
}
