/// Times of a network's layers as a table, in the order in which they run.
struct LayerTimes {
  private let manifest: Manifest
  private let milliseconds: [Double]

  /// - Parameter seconds: the sum over `runs` runs for each layer of the manifest.
  init(_ manifest: Manifest, seconds: [Double], runs: Int) {
    self.manifest = manifest
    milliseconds = seconds.map { $0 * 1e3 / Double(runs) }
  }

  var text: String {
    let total = milliseconds.reduce(0, +)
    var table = TextTable(
      ("layer", .left), ("type", .left), ("kernel", .left), ("ms", .right), ("share", .right))
    for (layer, time) in zip(manifest.layers, milliseconds) {
      table.add(
        layer.name, layer.type, layer.kernel, Quantity.decimal(time, 4),
        total > 0 ? Quantity.percent(time / total) : "-")
    }
    return table.text
  }
}
