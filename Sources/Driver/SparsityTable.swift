/// Sparsity of several layers, side by side.
enum SparsityTable {
  static func text(of rows: [(name: String, sparsity: SparsityByKind)]) -> String {
    var table = TextTable(
      ("zeros", .left), ("elements", .right), ("filters", .right), ("columns", .right),
      ("channels", .right), ("kernels", .right), ("blocks", .right))
    for (name, sparsity) in rows {
      let percent = Quantity.percent(sparsity.elements.zero, of: sparsity.elements.total)
      table.add(
        name, "\(cell(sparsity.elements)) (\(percent))", cell(sparsity.filters),
        cell(sparsity.columns), cell(sparsity.channels), cell(sparsity.kernels),
        sparsity.blocks.map(cell).joined(separator: ", "))
    }
    return table.text
  }

  private static func cell(_ count: SparsityByKind.Count) -> String {
    "\(count.zero)/\(count.total)"
  }

  /// `12/100 of 4x4`: blocks have a size as well.
  private static func cell(_ blocks: SparsityByKind.Blocks) -> String {
    "\(blocks.zero)/\(blocks.total) of \(blocks.rows)x\(blocks.columns)"
  }
}
