import IR

/// Readers of the layers that normalise.
enum NormalizationReaders {
  static func lrn(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("lrn_param")
    let size = parameters.integer("local_size")
    guard size % 2 == 1 else {
      throw layer.refusal("local_size \(size) is not odd", at: "local_size", of: parameters)
    }
    return [
      .lrn(
        LRN(
          size: size, alpha: parameters.float("alpha"), beta: parameters.float("beta"),
          k: parameters.float("k"),
          region: parameters.enumName("norm_region") == "WITHIN_CHANNEL"
            ? .withinChannel : .acrossChannels))
    ]
  }

  /// Stored statistics are used in phase TEST unless the layer says otherwise.
  static func batchNorm(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("batch_norm_param")
    return [
      .batchNorm(
        BatchNorm(
          epsilon: parameters.float("eps"),
          usesStoredStatistics: parameters.has("use_global_stats")
            ? parameters.bool("use_global_stats") : layer.state.phase == .test))
    ]
  }

  static func mvn(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("mvn_param")
    return [
      .mvn(
        MVN(
          normalizesVariance: parameters.bool("normalize_variance"),
          acrossChannels: parameters.bool("across_channels"),
          epsilon: parameters.float("eps")))
    ]
  }

  static func softmax(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.softmax(Softmax(axis: layer.message.message("softmax_param").integer("axis")))]
  }
}
