import IR

/// A network that cannot be written as one of Caffe.
public struct NetWritingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The layer's name.
  public var layer: String
  /// A clause that says what Caffe cannot.
  public var reason: String

  public var description: String { "layer \(Spelling.quoted(layer)): \(reason)" }
}

/// A network as two files of Caffe.
public struct WrittenNet: Sendable {
  /// The definition, a `NetParameter`; its `text` is the prototxt.
  public var definition: TextMessage
  /// The learned arrays.
  public var weights: Caffemodel
}

/// Writes a graph as a network of current BVLC Caffe.
///
/// What is written is what `NetReader` reads from it: the network for phase TEST, with inputs in place of data
/// layers, and every layer with weights of its own. A graph that is evaluated per item has one item in the
/// file. Layer and blob names are kept where Caffe allows it; where one name would stand for two things, all
/// but one of them get a number behind it. Writing what was read from a written file gives the same file.
public enum NetWriter {
  /// Writes a graph.
  ///
  /// - Parameter settings: how the layers of the same names are trained.
  /// - Throws: at the first layer that Caffe does not have: a bias that depends on the place in the image
  ///   (`BorderBias`), an LRN that lost channels, a layer that took in an activation.
  public static func write(_ graph: Graph, settings: TrainingSettings? = nil)
    throws(NetWritingError) -> WrittenNet
  {
    var writing = NetWriting(graph, settings ?? TrainingSettings())
    for input in graph.inputs { writing.add(input: input) }
    for id in graph.order { try writing.add(id) }
    return WrittenNet(
      definition: writing.definition,
      weights: Caffemodel(name: graph.name, layers: writing.layers))
  }
}

/// The state of `NetWriter.write`: the files so far.
private struct NetWriting {
  let graph: Graph
  let settings: TrainingSettings
  let ends: NetEnds
  var definition = TextMessage(type: "NetParameter")
  var layers: [LayerBlobs] = []
  private var blobNames: BlobNames
  private var layerNames: UniqueNames
  /// The type of the first layer of every name.
  private var types: [String: String] = [:]

  init(_ graph: Graph, _ settings: TrainingSettings) {
    self.graph = graph
    self.settings = settings
    let consumers = graph.consumerTable()
    ends = NetEnds(graph, consumers: consumers)
    blobNames = BlobNames(graph, consumers: consumers, ends: ends)
    layerNames = UniqueNames(reserving: graph.order.map { graph[$0].name })
    if !graph.name.isEmpty { definition.append("name", .string(graph.name)) }
  }

  mutating func add(input: ValueID) {
    let form = LayerForm("Input", "input_param") {
      $0.add("shape", shape: graph[input].shape.extents)
    }
    let blob = blobNames[input]
    add(form, layerNames.invent(blob), from: [], to: [blob])
    addEnd(of: input)
  }

  mutating func add(_ id: NodeID) throws(NetWritingError) {
    let node = graph[id]
    let name = name(for: node)
    let chain: [LayerForm]
    do {
      chain = try LayerForms.chain(of: node, inputs: graph.inputShapes(of: id))
    } catch {
      throw NetWritingError(layer: node.name, reason: error.reason)
    }
    var bottoms = node.inputs.map { blobNames[$0] }
    for (place, form) in chain.enumerated() {
      let part = form.suffix.isEmpty ? name : layerNames.invent("\(name)_\(form.suffix)")
      let isLast = place == chain.count - 1
      // What the next part writes over has its name already.
      let next = chain[place...].dropFirst().prefix { $0.isInPlace }.count
      let tops: [String]
      if form.isInPlace {
        tops = bottoms
      } else if isLast || place + next == chain.count - 1 {
        tops = node.outputs.map { blobNames[$0] }
      } else {
        tops = [blobNames.invent(part)]
      }
      add(form, part, of: node, from: bottoms, to: tops)
      bottoms = tops
    }
    for output in node.outputs { addEnd(of: output) }
  }

  /// The node's own name, unless another layer has it: a part of a layer of SkimCaffe adds its type to it.
  private mutating func name(for node: Node) -> String {
    let type = node.operation.layer.typeName
    let first = types[node.name]
    guard let first, first != type else {
      types[node.name] = type
      return layerNames.claim(node.name)
    }
    return layerNames.invent("\(node.name)_\(type.lowercased())")
  }

  /// Sees to it that a value is an output if and only if the graph says so.
  private mutating func addEnd(of value: ValueID) {
    let blob = blobNames[value]
    if ends.silenced.contains(value) {
      add(LayerForm("Silence"), layerNames.invent("\(blob)_silence"), from: [blob], to: [])
    }
    if let copy = blobNames.copy(of: value) {
      add(LayerForm("Split"), layerNames.invent("\(copy)_output"), from: [blob], to: [copy])
    }
  }

  private mutating func add(
    _ form: LayerForm, _ name: String, of node: Node? = nil, from bottoms: [String],
    to tops: [String]
  ) {
    var layer = TextMessage(type: "LayerParameter")
    layer.append("name", .string(name))
    layer.append("type", .string(form.type))
    for bottom in bottoms { layer.append("bottom", .string(bottom)) }
    for top in tops { layer.append("top", .string(top)) }
    // A layer that became another one, or several, is no longer the one that was trained.
    let trained = node.flatMap { form.type == $0.operation.layer.typeName ? $0.name : nil }
    if let trained {
      for rates in settings.rates(of: trained, blobs: form.blobs.count) {
        layer.append("param", .message(rates))
      }
    }
    if let (field, message) = form.parameters { layer.append(field, .message(message)) }
    if let trained { settings.complete(&layer, as: trained) }
    definition.append("layer", .message(layer))
    layers.append(LayerBlobs(name: name, type: form.type, blobs: form.blobs.map { Blob($0) }))
  }
}
