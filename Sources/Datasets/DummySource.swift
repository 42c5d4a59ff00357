import IR

/// Batches that fillers make: one top for each shape.
final class DummySource: BatchSource {
  let shapes: [Shape]
  private let fillers: [Filler]
  private let origin: Origin
  private var random: RandomSource

  private static let stateKind: UInt8 = 4

  /// - Parameter fillers: one for each shape, one for all, or none for zeros.
  init(
    shapes: [Shape], fillers: [Filler], layer: String, random: RandomSource
  ) throws(Diagnostic) {
    origin = Origin("DummyData", layer: layer)
    guard fillers.count <= 1 || fillers.count == shapes.count else {
      throw origin.error("\(fillers.count) fillers for \(shapes.count) tops")
    }
    self.shapes = shapes
    self.fillers =
      fillers.count == shapes.count
      ? fillers : [Filler](repeating: fillers.first ?? .constant(0), count: shapes.count)
    self.random = random
    for (filler, shape) in zip(self.fillers, shapes) {
      do throws(ShapeError) { try filler.check(shape) } catch { throw origin.error("\(error)") }
    }
  }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    for (top, (filler, shape)) in zip(tops, zip(fillers, shapes)) {
      filler.fill(top, shape: shape, random: &random)
    }
  }

  var position: [UInt8] {
    var state = SourceStateWriter(Self.stateKind)
    state.append(random.bytes)
    return state.bytes
  }

  func move(to position: [UInt8]) throws(Diagnostic) {
    guard var state = SourceStateReader(position, Self.stateKind), let random = state.random(),
      state.isAtEnd
    else { throw origin.error("the stored position is not one of DummyData") }
    self.random = random
  }
}
