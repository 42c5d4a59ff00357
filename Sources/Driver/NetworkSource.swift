import Caffe
import IR

/// A network as the front end delivers it.
public struct NetworkSource: Sendable {
  public var graph: Graph
  /// Warnings and notes.
  public var findings: [Diagnostic]
  /// Layers that got no weights; empty unless that was allowed.
  public var missingWeights: [String]

  /// Reads a definition and its weights; without weights, parameters are zeros.
  public static func read(
    definition: String, weights: String?, inputShapes: [InputShapeWish] = [],
    allowUnknownFields: Bool = false
  ) throws(Diagnostic) -> NetworkSource {
    let prototxt = try Prototxt.read(
      definition, as: .net, allowUnknownFields: allowUnknownFields)
    let model = try weights.map { path throws(Diagnostic) in try Caffemodel(contentsOf: path) }
    var options = NetReader.Options()
    options.weightsOptional = weights == nil
    options.inputShapes = inputShapes.map {
      NetReader.InputShape(name: $0.name, extents: $0.extents)
    }
    let files = model.map { [NetReader.Weights($0, file: weights ?? "")] } ?? []
    let net = try NetReader.read(prototxt, weights: files, options: options)
    return NetworkSource(
      graph: net.graph, findings: prototxt.warnings + (model?.warnings ?? []) + net.findings,
      missingWeights: net.missingWeights)
  }
}
