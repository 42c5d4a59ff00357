import Caffe
import Foundation
import IR

/// Turns files of Caffe into other files.
public enum Conversion {
  /// What was written, and what the user should know.
  public struct Result: Hashable, Sendable {
    /// One line for people.
    public var text: String
    public var findings: [Diagnostic]
  }

  /// Writes the blobs of a caffemodel into a folder of Matrix Market files, which appears whole or
  /// not at all.
  public static func weights(caffemodel: String, toFolder folder: String) throws(Diagnostic)
    -> Result
  {
    let model = try Caffemodel(contentsOf: caffemodel)
    let made = try FolderInTheMaking(folder)
    let (files, findings) = try WeightFolder.write(model, to: made.partial)
    let partial = made.partial
    try made.finish()
    let text = "\(folder.onOneLine): \(Quantity.plural(files.count, "file"))\n"
    return Result(text: text, findings: findings.map { $0.about(caffemodel, insteadOf: partial) })
  }

  /// Puts the Matrix Market files of a net's layers together to a caffemodel.
  public static func weights(
    folder: String, net: String, inputShapes: [InputShapeWish] = [],
    allowUnknownFields: Bool = false, to output: String
  ) throws(Diagnostic) -> Result {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw .error("is no folder; --net goes with a folder of Matrix Market files", file: folder)
    }
    let source = try NetworkSource.read(
      definition: net, weights: nil, inputShapes: inputShapes,
      allowUnknownFields: allowUnknownFields)
    let graph = source.graph
    let layers = graph.order.map { graph[$0] }.filter { !$0.parameters.isEmpty }.map { node in
      WeightFolder.Layer(
        name: node.name, type: node.sourceType, shapes: node.parameters.map(\.shape))
    }
    guard !layers.isEmpty else { throw .error("has no layers with weights", file: net) }
    let (model, findings) = try WeightFolder.read(folder, layers: layers, netName: graph.name)
    try model.write(to: output)
    return Result(
      text: "\(output.onOneLine): \(Quantity.plural(model.layers.count, "layer"))\n",
      findings: source.findings + findings)
  }

  /// Writes an old prototxt or caffemodel in the current form.
  public static func upgrade(_ file: String, to output: String) throws(Diagnostic) -> Result {
    switch try FileKind(of: file) {
    case .text:
      let prototxt = try Prototxt.read(file)
      let current = try Upgrade.current(prototxt)
      try FileInTheMaking.write(current.message.text.utf8, to: output)
      let state = current.message == prototxt.message ? "was current already" : "upgraded"
      return Result(
        text: "\(output.onOneLine): \(current.kind.rawValue), \(state)\n",
        findings: prototxt.warnings)
    case .binary:
      let model = try Caffemodel(contentsOf: file)
      try model.upgraded().write(to: output)
      let state =
        model.generation == .current
        ? "was current already" : "upgraded from \(model.generation.rawValue)"
      return Result(
        text: "\(output.onOneLine): caffemodel, \(state)\n", findings: model.warnings)
    case .sharedObject, .solverstate:
      throw .error("is neither a prototxt nor a caffemodel", file: file)
    }
  }
}

extension Diagnostic {
  /// The same finding about another file, where it was about `old`.
  fileprivate func about(_ new: String, insteadOf old: String) -> Diagnostic {
    guard file == old else { return self }
    var changed = self
    changed.file = new
    return changed
  }
}
