import Caffe
import IR

/// What a caffemodel holds.
public struct CaffemodelInspection: Encodable, Sendable {
  /// A layer's blobs as the file has them.
  public struct Layer: Encodable, Hashable, Sendable {
    public var name: String
    public var type: String
    /// Shapes, masks of the pruning forks included.
    public var blobs: [[Int]]
    /// Whether there are masks; they are applied before zeros are counted.
    public var hasMasks: Bool
    /// Of the weights, as if they were one group: a caffemodel does not say how many there are.
    public var sparsity: SparsityByKind?

    enum CodingKeys: String, CodingKey {
      case name, type, blobs, sparsity
      case hasMasks = "masks"
    }
  }

  public var kind = "caffemodel"
  public var name: String
  /// The layout of the file: V0, V1 or current.
  public var generation: String
  /// All layers, those without blobs included.
  public var layers: [Layer]
  public var parameters: Int
  public var findings: [Diagnostic] = []

  enum CodingKeys: String, CodingKey { case kind, name, generation, layers, parameters }

  init(_ model: Caffemodel, file: String, blocks: [BlockSize] = [.standard]) {
    name = model.name
    generation = model.generation.rawValue
    findings = model.warnings
    parameters = 0
    layers = []
    for layer in model.layers { add(layer, file: file, blocks) }
  }

  private mutating func add(_ layer: LayerBlobs, file: String, _ blocks: [BlockSize]) {
    let (blobs, notes) = layer.effectiveBlobs(file: file)
    findings += notes
    parameters += blobs.reduce(0) { $0 + $1.tensor.count }
    var groups: [SparsityByKind]?
    if let weights = blobs.first, Self.typesWithMatrices.contains(layer.type) {
      let model = Caffemodel(
        name: "", layers: [LayerBlobs(name: "", type: layer.type, blobs: [weights])])
      groups = (model.upgraded().layers.first?.blobs.first?.tensor).flatMap {
        SparsityByKind.groups(
          of: $0, count: 1, filtersFirst: layer.type != "Deconvolution", blocks: blocks)
      }
    }
    layers.append(
      Layer(
        name: layer.name, type: layer.type, blobs: layer.blobs.map(\.shape.extents),
        hasMasks: layer.maskLayout != nil, sparsity: groups?.first))
  }

  private static let typesWithMatrices: Set<String> = [
    "Convolution", "InnerProduct", "Deconvolution", "CConvolution", "CInnerProduct",
  ]

  /// The result for people.
  public var text: String {
    var table = TextTable(("layer", .left), ("type", .left), ("blobs", .left))
    for layer in layers where !layer.blobs.isEmpty {
      table.add(
        layer.name, layer.type,
        layer.blobs.map(Quantity.shape).joined(separator: " ")
          + (layer.hasMasks ? " (with masks)" : ""))
    }
    let full = layers.count { !$0.blobs.isEmpty }
    var text = "\(Quantity.title("caffemodel", name)), \(generation) format\n\n\(table.text)\n"
    text += SparsityTable.text(
      of: layers.compactMap { layer in layer.sparsity.map { (layer.name, $0) } })
    text += "\n\(Quantity.plural(full, "layer")) with blobs of \(layers.count), "
    text += "\(Quantity.count(parameters)) parameters (\(Quantity.bytes(4 * parameters)))\n"
    return text
  }
}

/// What a solverstate holds.
public struct SolverstateInspection: Encodable, Sendable {
  public var kind = "solverstate"
  public var iteration: Int
  public var learnedNet: String
  public var currentStep: Int
  /// Shapes of the solver's memory, one for each parameter and kind.
  public var history: [[Int]]

  enum CodingKeys: String, CodingKey {
    case kind, iteration, history
    case learnedNet = "learned_net"
    case currentStep = "current_step"
  }

  init(_ state: SolverStateFile, file: String) {
    iteration = state.iteration
    learnedNet = state.learnedNet
    currentStep = state.currentStep
    history = state.history.map(\.shape.extents)
  }

  /// The result for people.
  public var text: String {
    var text = "solverstate of iteration \(iteration), step \(currentStep)\n"
    if !learnedNet.isEmpty { text += "its net: \(learnedNet.onOneLine)\n" }
    text += "\(Quantity.plural(history.count, "history blob"))"
    if !history.isEmpty {
      text += ": " + history.map(Quantity.shape).joined(separator: " ")
    }
    return text + "\n"
  }
}

/// The settings of a solver.
public struct SolverInspection: Encodable, Sendable {
  /// A field as the file gives it.
  public struct Setting: Encodable, Hashable, Sendable {
    public var name: String
    /// The value as protobuf text; a nested message on several lines.
    public var value: String
  }

  public var kind = "solver"
  /// In the file's order.
  public var settings: [Setting]
  public var findings: [Diagnostic] = []

  enum CodingKeys: String, CodingKey { case kind, settings }

  init(_ prototxt: Prototxt) {
    let message = prototxt.message
    settings = message.fields.map { field in
      var single = TextMessage(type: message.type, file: message.file)
      single.append(field)
      let text = single.text.dropLast()
      let value = text.dropFirst(field.name.count).drop { $0 == ":" || $0 == " " }
      return Setting(name: field.name, value: String(value))
    }
    findings = prototxt.warnings
  }

  /// The result for people.
  public var text: String {
    var text = "solver\n\n"
    for setting in settings {
      let colon = setting.value.hasPrefix("{") ? "" : ":"
      text += "\(setting.name)\(colon) \(setting.value)\n"
    }
    return text
  }
}
