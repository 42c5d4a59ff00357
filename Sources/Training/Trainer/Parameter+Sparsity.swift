import IR

extension Parameter {
  /// How much of it is zero as it stands.
  public var sparsity: ParameterSparsity { sparsity(mask: nil) }

  /// How much of it is zero when a net computes with it.
  ///
  /// - Parameter mask: which elements may differ from zero; nil if none is masked.
  func sparsity(mask: [Bool]?) -> ParameterSparsity {
    let rows = shape.axes == 0 ? 1 : shape[0]
    let columns = count / rows
    var small = 0
    var zeroRows = 0
    var isColumnZero = [Bool](repeating: true, count: columns)
    for row in 0..<rows {
      var isRowZero = true
      for column in 0..<columns {
        let place = row * columns + column
        let value = mask?[place] == false ? 0 : values[place]
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
      layer: layer, index: index, slot: settings.slot.name, count: count,
      elements: Double(small) / Double(count), columns: Double(zeroColumns) / Double(columns),
      rows: Double(zeroRows) / Double(rows))
  }
}
