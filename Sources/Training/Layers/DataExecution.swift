import IR

/// Batches from a source.
final class DataExecution: LayerExecution {
  private let source: any BatchSource
  private let tops: [UnsafeMutableBufferPointer<Float>]

  init(_ source: any BatchSource, _ context: LayerContext) throws(Diagnostic) {
    let shapes = context.outputs.map { $0.shape }
    guard source.shapes == shapes else {
      throw context.error(
        "the source gives batches of shape \(source.shapes), the net expects \(shapes)")
    }
    self.source = source
    tops = context.outputs.map { UnsafeMutableBufferPointer(start: $0.values, count: $0.count) }
  }

  func forward() throws(Diagnostic) { try source.next(into: tops) }

  func backward() {}

  var state: [UInt8] { source.position }

  func restore(_ state: [UInt8]) throws(Diagnostic) { try source.move(to: state) }
}
