import IR
import Passes

/// What a net's definition says, and what its weights hold.
public struct NetInspection: Encodable, Sendable {
  /// A layer as the compiler sees it.
  public struct Layer: Encodable, Hashable, Sendable {
    public var name: String
    public var type: String
    /// Shapes of the outputs; without fixed batch, of one item.
    public var outputs: [[Int]]
    /// Learned numbers.
    public var parameters: Int
    /// Multiply-adds of a dense evaluation of one item.
    public var multiplyAdds: Int
    /// Of the weights; nil without a weight file, or for layers that have none of two axes or more.
    public var sparsity: SparsityByKind?
    /// The same for each group; one for a layer that is not divided.
    public var groups: [SparsityByKind]?

    enum CodingKeys: String, CodingKey {
      case name, type, outputs, parameters, sparsity, groups
      case multiplyAdds = "multiply_adds"
    }
  }

  public var kind = "net"
  public var name: String
  public var inputs: [Manifest.Tensor]
  public var outputs: [Manifest.Tensor]
  /// Why the batch is fixed; nil if items are independent.
  public var batchFixedBecause: String?
  public var layers: [Layer]
  public var parameters: Int
  public var multiplyAdds: Int
  /// Of the weights of all layers together; nil without a weight file.
  public var sparsity: SparsityByKind?
  /// Bytes of all parameters as float32.
  public var parameterBytes: Int
  /// Bytes of all blobs of one item, if each has its own memory.
  public var blobBytes: Int
  public var hasWeights: Bool
  public var findings: [Diagnostic] = []

  enum CodingKeys: String, CodingKey {
    case kind, name, inputs, outputs, layers, parameters, sparsity
    case batchFixedBecause = "batch_fixed_because"
    case multiplyAdds = "multiply_adds"
    case parameterBytes = "parameter_bytes"
    case blobBytes = "blob_bytes"
  }

  init(
    _ source: NetworkSource, hasWeights: Bool, blocks: BlockSizes = BlockSizes(wish: [])
  ) {
    let graph = source.graph
    func tensor(_ value: ValueID) -> Manifest.Tensor {
      Manifest.Tensor(name: graph[value].name, shape: graph[value].shape.extents)
    }
    name = graph.name
    inputs = graph.inputs.map(tensor)
    outputs = graph.outputs.map(tensor)
    if case .fixed(let reason) = graph.batch { batchFixedBecause = reason }
    layers = graph.order.map { Layer($0, in: graph, hasWeights: hasWeights, blocks: blocks) }
    let counted = layers.compactMap(\.sparsity)
    sparsity = counted.first.map { counted.dropFirst().reduce($0, +) }
    parameters = layers.reduce(0) { $0 + $1.parameters }
    multiplyAdds = graph.multiplyAdds
    parameterBytes = graph.parameterBytes
    blobBytes = graph.liveValues.reduce(0) { $0 + 4 * graph[$1].shape.count }
    self.hasWeights = hasWeights
    findings = source.findings + blocks.findings
  }
}

extension NetInspection.Layer {
  init(_ id: NodeID, in graph: Graph, hasWeights: Bool, blocks: BlockSizes) {
    let node = graph[id]
    name = node.name
    type = node.sourceType
    outputs = graph.outputShapes(of: id).map(\.extents)
    parameters = node.parameters.reduce(0) { $0 + $1.count }
    multiplyAdds = node.operation.layer.multiplyAdds(
      inputs: graph.inputShapes(of: id), outputs: graph.outputShapes(of: id))
    guard hasWeights, let weights = node.parameters.first, let matrices = WeightMatrices(node)
    else { return }
    let all = SparsityByKind.groups(of: weights, as: matrices, blocks: blocks[node.name])
    sparsity = all.dropFirst().reduce(all[0], +)
    groups = all
  }
}

extension NetInspection {
  /// The result for people.
  public var text: String {
    var text = Quantity.title("net", name) + "\n"
    for input in inputs {
      text += "input \(input.name.onOneLine): \(Quantity.shape(input.shape))\n"
    }
    for output in outputs {
      text += "output \(output.name.onOneLine): \(Quantity.shape(output.shape))\n"
    }
    if let batchFixedBecause { text += "the batch is fixed, because \(batchFixedBecause)\n" }
    text += "\n" + layerTable
    if hasWeights { text += "\n" + SparsityTable.text(of: sparsityRows) }
    text += "\n\(Quantity.plural(layers.count, "layer")), \(Quantity.count(parameters)) parameters "
    text += "(\(Quantity.bytes(parameterBytes))), \(Quantity.count(multiplyAdds)) multiply-adds "
    text += "(\(Quantity.count(flop)) FLOP), \(Quantity.bytes(blobBytes)) of blobs\n"
    return text
  }

  /// Two operations for each multiply-add, as far as that can be counted.
  private var flop: Int {
    let (product, overflow) = multiplyAdds.multipliedReportingOverflow(by: 2)
    return overflow ? Int.max : product
  }

  private var layerTable: String {
    var table = TextTable(
      ("layer", .left), ("type", .left), ("output", .left), ("parameters", .right),
      ("multiply-adds", .right))
    for layer in layers {
      table.add(
        layer.name, layer.type, layer.outputs.map(Quantity.shape).joined(separator: " "),
        "\(layer.parameters)", "\(layer.multiplyAdds)")
    }
    return table.text
  }

  private var sparsityRows: [(name: String, sparsity: SparsityByKind)] {
    let rows: [[(name: String, sparsity: SparsityByKind)]] = layers.map { layer in
      guard let sparsity = layer.sparsity, let groups = layer.groups else { return [] }
      let parts = groups.enumerated().map { ("  group \($0)", $1) }
      return [(layer.name, sparsity)] + (parts.count > 1 ? parts : [])
    }
    let isSummed = rows.count { !$0.isEmpty } > 1
    return rows.flatMap(\.self) + (isSummed ? sparsity.map { [("all layers", $0)] } ?? [] : [])
  }
}
