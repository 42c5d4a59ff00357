import IR

/// Writers of the layers that normalise.
enum NormalizationWriters {
  static func lrn(_ layer: LRN) throws(Inexpressible) -> LayerForm {
    guard layer.positions == nil else {
      throw Inexpressible("Caffe's LRN cannot leave out channels between those it normalises")
    }
    return LayerForm("LRN", "lrn_param") {
      $0.add("local_size", layer.size)
      $0.add("alpha", layer.alpha)
      $0.add("beta", layer.beta)
      $0.add(
        "norm_region",
        word: layer.region == .withinChannel ? "WITHIN_CHANNEL" : "ACROSS_CHANNELS")
      $0.add("k", layer.k)
    }
  }

  /// Stored statistics are what Caffe uses in phase TEST unless told otherwise; training goes on with those
  /// of the batch.
  static func batchNorm(_ layer: BatchNorm, _ blobs: [Tensor]) -> LayerForm {
    LayerForm("BatchNorm", "batch_norm_param", blobs: blobs) {
      if !layer.usesStoredStatistics { $0.append("use_global_stats", .bool(false)) }
      $0.add("eps", layer.epsilon)
    }
  }

  static func mvn(_ layer: MVN) -> LayerForm {
    LayerForm("MVN", "mvn_param") {
      $0.add("normalize_variance", layer.normalizesVariance)
      $0.add("across_channels", layer.acrossChannels)
      $0.add("eps", layer.epsilon)
    }
  }

  static func softmax(_ layer: Softmax) -> LayerForm {
    LayerForm("Softmax", "softmax_param") { $0.add("axis", layer.axis) }
  }
}
