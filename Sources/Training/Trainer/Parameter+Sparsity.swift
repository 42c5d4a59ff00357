import IR

extension Trainer {
  /// How much of every learned array is zero when the net computes with it, as the solver's dialect counts it.
  public var sparsity: [ParameterSparsity] {
    solver.parameters.enumerated().map { index, parameter in
      let mask = solver.mask(of: index)
      var result = parameter.sparsity(mask: mask)
      guard settings.dialect == .skim else { return result }
      let limit = settings.forkFields.measureThreshold
      let small = parameter.values.indices.count {
        abs(parameter.value($0, mask)) <= limit
      }
      result.elements = Double(small) / Double(parameter.count)
      result.fibers = parameter.fibers(limit: limit, mask: mask)
      result.winograd = WinogradPruning.sparsity(
        of: parameter, threshold: limit, adjusts: settings.forkFields.adjustsWinogradThreshold)
      return result
    }
  }
}

extension Parameter {
  /// How much of it is zero as it stands.
  public var sparsity: ParameterSparsity { sparsity(mask: nil) }

  /// How much of it is zero when a net computes with it.
  ///
  /// - Parameter mask: which elements may differ from zero; nil if none is masked.
  func sparsity(mask: [Bool]?) -> ParameterSparsity {
    let (rows, columns) = (matrix.rows, matrix.columns)
    var small = 0
    var zeroRows = 0
    var isColumnZero = [Bool](repeating: true, count: columns)
    for row in 0..<rows {
      var isRowZero = true
      for column in 0..<columns {
        let place = row * columns + column
        let value = value(place, mask)
        if abs(value) < ZeroOut.threshold { small += 1 }
        if value != 0 {
          isRowZero = false
          isColumnZero[column] = false
        }
      }
      if isRowZero { zeroRows += 1 }
    }
    let zeroColumns = isColumnZero.count { $0 }
    return ParameterSparsity(
      layer: layer, index: index, slot: settings.slot.name, count: count, axes: shape.axes,
      elements: Double(small) / Double(count), columns: Double(zeroColumns) / Double(columns),
      rows: Double(zeroRows) / Double(rows),
      tiles: settings.sparsity.blocks.map { tiles($0, mask: mask) })
  }

  fileprivate func value(_ place: Int, _ mask: [Bool]?) -> Float {
    mask?[place] == false ? 0 : values[place]
  }

  private var matrix: (rows: Int, columns: Int) {
    let rows = shape.axes == 0 ? 1 : shape[0]
    return (rows, count / rows)
  }

  /// Those at the edges may be smaller.
  private func tiles(_ block: SparsityFields.Block, mask: [Bool]?)
    -> ParameterSparsity.Tiles
  {
    let (rows, columns) = (matrix.rows, matrix.columns)
    let (width, height) = (max(1, block.width), max(1, block.height))
    let across = (columns + width - 1) / width
    var isZero = [Bool](repeating: true, count: across * ((rows + height - 1) / height))
    for row in 0..<rows {
      for column in 0..<columns where value(row * columns + column, mask) != 0 {
        isZero[row / height * across + column / width] = false
      }
    }
    return ParameterSparsity.Tiles(
      width: block.width, height: block.height,
      share: Double(isZero.count { $0 }) / Double(isZero.count))
  }

  /// nil unless there are four axes.
  ///
  /// - Parameter limit: the largest magnitude that counts as zero.
  fileprivate func fibers(limit: Float, mask: [Bool]?) -> ParameterSparsity.Fibers? {
    guard shape.axes == 4 else { return nil }
    let (outputs, inputs, places) = (shape[0], shape[1], shape[2] * shape[3])
    var along = (
      outputs: [Bool](repeating: true, count: inputs * places),
      inputs: [Bool](repeating: true, count: outputs * places),
      kernel: [Bool](repeating: true, count: outputs * inputs)
    )
    var of = (
      output: [Bool](repeating: true, count: outputs),
      input: [Bool](repeating: true, count: inputs), place: [Bool](repeating: true, count: places)
    )
    for output in 0..<outputs {
      for input in 0..<inputs {
        for place in 0..<places {
          // What is no number is not small.
          let value = value((output * inputs + input) * places + place, mask)
          if abs(value) <= limit { continue }
          along.outputs[input * places + place] = false
          along.inputs[output * places + place] = false
          along.kernel[output * inputs + input] = false
          of.output[output] = false
          of.input[input] = false
          of.place[place] = false
        }
      }
    }
    func share(_ isZero: [Bool]) -> Double { Double(isZero.count { $0 }) / Double(isZero.count) }
    return ParameterSparsity.Fibers(
      outputLines: share(along.outputs), inputLines: share(along.inputs),
      kernelLines: share(along.kernel), outputSlices: share(of.output),
      inputSlices: share(of.input), kernelSlices: share(of.place))
  }
}
