import IR

/// Biases that depend on the place in the image: border_bias.h.
///
/// In place and without an activation only rows and columns that have a bias are visited: towards the
/// borders, since the middle's share is in the bias of the convolution before.
struct BorderBiasKernel: Kernel {
  let name = "border_bias"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .borderBias(let layer) = graph[node].operation else { return nil }
    let shape = graph[graph[node].inputs[0]].shape
    let rows = BorderRows(layer, bias: graph[node].parameters[0].values, channels: shape[1])
    let visited = layer.activation == nil ? rows.restless : rows.count * rows.width
    let isImage = shape.axes == 4
    return fits(
      cycles: Double(shape[0] * shape[1] * visited) / Double(target.lanes) * 2 + 200, target,
      inputs: [isImage ? .planes(.none) : .dense], outputs: [isImage ? .anyPlanes : .denseOnly],
      reason: layer.activation == nil
        ? "\(rows.restless) of \(rows.count * rows.width) places have a bias"
        : "every place has a bias or an activation")
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .borderBias(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel border biases only")
    }
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let shape = emitter.graph[input].shape
    let rows = BorderRows(layer, bias: source.parameters[0].values, channels: shape[1])
    let table = emitter.weights.append(
      words: rows.table(leavesQuiet: layer.activation == nil), as: "struct border_row")
    let bias = emitter.weights.append(floats: rows.bias)
    func planes(_ value: ValueID) -> String {
      shape.axes == 4
        ? emitter.planes(value)
        : "{.planes = \(shape[0] * shape[1]), .height = \(rows.count), .width = \(rows.width), "
          + ".row_pitch = \(rows.width), .plane_pitch = \(rows.count * rows.width)}"
    }
    emitter.call(
      name,
      fields: [
        ".input = \(planes(input))", ".output = \(planes(output))",
        ".channels = \(shape[1]), .channel_pitch = \(rows.bias.count / shape[1])",
        emitter.rectifier(layer.activation),
      ], arguments: [emitter.pointer(input), table, bias, emitter.pointer(output)])
  }
}

/// A border bias by rows, the last axis: rows of one class have the same bias at every column.
private struct BorderRows {
  /// The class of each row of an image.
  let classes: [Int]
  let width: Int
  /// [channel][class of rows][column].
  let bias: [Float]
  /// For each class of rows the longest run of columns without any bias.
  let quiet: [Range<Int>]

  var count: Int { classes.count }

  /// Places of an image outside of quiet runs.
  var restless: Int { classes.reduce(0) { $0 + width - quiet[$1].count } }

  init(_ layer: BorderBias, bias: [Float], channels: Int) {
    // Without spatial axes an image is a row of one element.
    let columns = layer.classes.last ?? [0]
    let outer = zip(layer.classes.dropLast(), layer.counts)
    classes = outer.reduce([0]) { rows, axis in
      rows.flatMap { row in axis.0.map { row * axis.1 + $0 } }
    }
    let width = columns.count
    self.width = width
    let columnClasses = layer.counts.last ?? 1
    let rowClasses = outer.reduce(1) { $0 * $1.1 }
    let table = (0..<channels * rowClasses).flatMap { row in
      columns.map { bias[row * columnClasses + $0] }
    }
    self.bias = table
    quiet = (0..<rowClasses).map { rowClass in
      let isQuiet = (0..<width).map { column in
        (0..<channels).allSatisfy { table[($0 * rowClasses + rowClass) * width + column] == 0 }
      }
      return Self.longestRun(isQuiet)
    }
  }

  /// `struct border_row` for each row.
  func table(leavesQuiet: Bool) -> [UInt32] {
    classes.flatMap { rowClass in
      let columns = leavesQuiet ? quiet[rowClass] : 0..<0
      return [rowClass * width, columns.lowerBound, columns.upperBound].map(UInt32.init)
    }
  }

  private static func longestRun(_ flags: [Bool]) -> Range<Int> {
    var best = 0..<0
    var start = 0
    for (index, flag) in flags.enumerated() {
      if !flag { start = index + 1 }
      if index + 1 - start > best.count { best = start..<index + 1 }
    }
    return best
  }
}
