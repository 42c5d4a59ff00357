import IR

/// Writers of the layers that pool.
enum PoolingWriter {
  /// Pooling; a maximum that starts at 0 takes a ReLU behind it, which makes 0 of an empty window too.
  static func chain(_ layer: Pooling) throws(Inexpressible) -> [LayerForm] {
    guard layer.window.dilation.allSatisfy({ $0 == 1 }) else {
      throw Inexpressible("Caffe's pooling has no dilation")
    }
    let pooling = LayerForm("Pooling", "pooling_param") {
      $0.add("pool", word: word(layer.reduction))
      if layer.isGlobal {
        $0.add("global_pooling", true)
      } else {
        add(layer.window, to: &$0)
      }
      $0.add("round_mode", word: layer.rounding == .down ? "FLOOR" : "CEIL")
    }
    guard layer.startsAtZero else { return [pooling] }
    guard layer.reduction == .max, !layer.writesPositions else {
      throw Inexpressible("only the maximum itself can start at 0")
    }
    return [pooling, LayerForm("ReLU").asPart("relu", isInPlace: true)]
  }

  static func pyramid(_ layer: SpatialPyramidPooling) -> LayerForm {
    LayerForm("SPP", "spp_param") {
      $0.add("pyramid_height", layer.height)
      $0.add("pool", word: word(layer.reduction))
    }
  }

  private static func word(_ reduction: Pooling.Reduction) -> String {
    switch reduction {
    case .max: "MAX"
    case .average: "AVE"
    case .stochastic: "STOCHASTIC"
    }
  }

  private static func add(_ window: Window, to message: inout TextMessage) {
    let pairs = [
      ("kernel_size", "kernel", window.kernel), ("stride", "stride", window.stride),
      ("pad", "pad", window.pad),
    ]
    for (both, stem, extents) in pairs {
      if extents[0] == extents[1] {
        message.add(both, extents[0])
      } else {
        message.add("\(stem)_h", each: [extents[0]])
        message.add("\(stem)_w", each: [extents[1]])
      }
    }
  }
}
