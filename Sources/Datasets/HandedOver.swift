import IR

/// Batches that the program sets, for the layers Input and MemoryData.
///
/// They are handed out in turn, round and round, as MemoryData does.
public final class HandedOver: BatchSource {
  public let shapes: [Shape]
  private let origin: Origin
  private var batches: [[[Float]]] = []
  private var index = 0

  private static let stateKind: UInt8 = 5

  public init(shapes: [Shape], layer: String) {
    self.shapes = shapes
    origin = Origin("the program", layer: layer)
  }

  /// Sets what comes next, instead of all that was set before.
  ///
  /// - Parameter batches: for each batch, the values of each top.
  /// - Throws: if there is no batch, or one has other sizes than the tops.
  public func hand(over batches: [[[Float]]]) throws(Diagnostic) {
    guard !batches.isEmpty else { throw origin.error("hands over no batch") }
    for batch in batches {
      guard batch.map(\.count) == shapes.map(\.count) else {
        throw origin.error(
          "hands over \(batch.map(\.count)) values where the tops have shapes \(shapes)")
      }
    }
    self.batches = batches
    index = 0
  }

  public func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    guard !batches.isEmpty else { throw origin.error("has handed over no data yet") }
    for (top, values) in zip(tops, batches[index]) { _ = top.update(fromContentsOf: values) }
    index = (index + 1) % batches.count
  }

  public var position: [UInt8] {
    var state = SourceStateWriter(Self.stateKind)
    state.append(index)
    return state.bytes
  }

  public func move(to position: [UInt8]) throws(Diagnostic) {
    guard var state = SourceStateReader(position, Self.stateKind),
      let index = state.number(in: 0..<max(1, batches.count)), state.isAtEnd
    else { throw origin.error("the stored position is not one of the data handed over") }
    self.index = index
  }
}
