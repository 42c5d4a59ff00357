import IR

extension FixedMasks {
  /// Freezes what `connectivity_mode` asks for, as scnn and SkimCaffe do when trained weights are loaded.
  ///
  /// Weights below the threshold become zero first. DISCONNECTED_ELTWISE keeps all zeros; DISCONNECTED_GRPWISE those in
  /// rows and columns that are zero as a whole, within each group of a convolution.
  ///
  /// - Parameters:
  ///   - isLoaded: whether a parameter's values come from a file; others stay free.
  ///   - dialect: scnn's threshold is 1e-4, which counts as not zero; SkimCaffe's is `prune_threshold`, which does.
  /// - Returns: for each parameter its mask; nil where nothing is frozen.
  static func connectivity(
    _ parameters: [Parameter], in net: TrainingNet, isLoaded: [Bool], dialect: TrainingDialect,
    fields: ForkFields
  ) -> [[Bool]?] {
    parameters.enumerated().map { index, parameter in
      let mode = parameter.settings.sparsity.connectivity
      guard mode != .connected, isLoaded[index] else { return nil }
      let values = parameter.values
      for i in values.indices {
        let size = abs(values[i])
        let isSmall =
          dialect == .skim ? size <= fields.pruneThreshold : size < ZeroOut.threshold
        if isSmall { values[i] = 0 }
      }
      guard mode == .groupwise else { return values.map { $0 != 0 } }
      return groupMask(parameter, bands: net.convolutionGroups(of: parameter))
    }
  }

  private static func groupMask(_ parameter: Parameter, bands: Int) -> [Bool] {
    let shape = Tiling(of: parameter.shape)
    let height = shape.rows / bands
    let rows = WeightGroups([.init(parameter: 0, tiling: Tiling(of: parameter.shape, height: 1))])
      .squares(in: [parameter])
    let columnTiling = Tiling(of: parameter.shape, height: height, width: 1)
    let columns = WeightGroups([.init(parameter: 0, tiling: columnTiling)]).squares(in: [parameter])
    return (0..<parameter.count).map { element in
      rows[element / shape.columns] != 0 && columns[columnTiling.tile(of: element)] != 0
    }
  }
}
