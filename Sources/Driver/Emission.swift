import Codegen
import Foundation
import IR
import Passes

/// A form in which a network can be printed on its way to a shared object.
public enum EmittedForm: String, CaseIterable, Sendable {
  /// The graph after the passes.
  case ir
  /// The graph with kernels and layouts.
  case loweredIR = "ir-lowered"
  /// The C text.
  case c
}

extension Compiler {
  /// The network as text; makes no files.
  public func emit(_ form: EmittedForm) throws(Diagnostic) -> String {
    let stage = try lower(Clang.find())
    switch form {
    case .ir: return stage.graph.description
    case .loweredIR: return stage.lowered.text
    case .c:
      let emitter = ModelEmitter(
        lowered: stage.lowered, target: stage.target, maximumBatch: stage.maximumBatch)
      return String(decoding: emitter.emit().source.bytes, as: UTF8.self)
    }
  }

  /// Has the graph printed behind the passes of these names.
  ///
  /// - Throws: if there is no such pass, or it will not run.
  public mutating func printGraph(
    after names: [String], with print: @escaping (String) -> Void
  ) throws(Diagnostic) {
    for name in names {
      guard Pipeline.names.contains(name) else {
        throw .error(
          "--print-after \(name): no such pass; there are \(Pipeline.names.joined(separator: ", "))"
        )
      }
      guard !options.disabledPasses.contains(name) else {
        throw .error("--print-after \(name): the pass is disabled")
      }
    }
    let wanted = Set(names)
    passObserver = { name, graph in
      if wanted.contains(name) { print("after \(name):\n\(graph)") }
    }
  }
}

extension Compiler.Result {
  /// What was made, for people; `file` is its name.
  public func text(file: String) -> String {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    let bytes = attributes?[.size] as? Int ?? 0
    let batch =
      manifest.batch.fixedBecause.map { "batch fixed because \($0)" }
      ?? "batches of up to \(manifest.batch.maximum)"
    var text = manifest.summary
    text += "\(file.onOneLine): \(Quantity.title("network", manifest.name)) "
    text += "for \(manifest.target), \(batch), "
    text += "\(Quantity.plural(manifest.layers.count, "layer")), \(Quantity.bytes(bytes)), "
    return text + "\(Quantity.decimal(seconds, 1)) s\n"
  }
}
