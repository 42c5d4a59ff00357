import COneDNN
import IR

/// One of oneDNN's primitives, ready to run.
final class Primitive {
  private let operation: OpaquePointer
  /// Primitives must not outlive what they were made with.
  private let engine: Engine

  init?(_ operation: OpaquePointer?, _ engine: Engine) {
    guard let operation else { return nil }
    self.operation = operation
    self.engine = engine
  }

  deinit { dnn_operation_free(operation) }

  /// Runs on arrays in the order that `primitives.h` states for the function that made it.
  func run(_ arrays: Floats?...) {
    arrays.withUnsafeBufferPointer { dnn_operation_run(operation, $0.baseAddress) }
  }

  /// As above, for a number of arrays that only the net knows.
  func run(_ arrays: [Floats?]) {
    arrays.withUnsafeBufferPointer { dnn_operation_run(operation, $0.baseAddress) }
  }

  /// Copies an array into another format.
  static func reorder(
    _ shape: Shape, from: BlobFormat, to: BlobFormat, adds: Bool = false, _ engine: Engine
  ) -> Primitive? {
    Primitive(
      dnn_reorder(engine.context, dnn_shape(shape), from.primitive, to.primitive, adds), engine)
  }
}

/// A forward primitive and its backward counterpart, if gradients are wanted.
struct PrimitivePair {
  var forward: Primitive
  var backward: Primitive?

  init?(_ pair: dnn_pair, _ engine: Engine) {
    guard let forward = Primitive(pair.forward, engine) else { return nil }
    self.forward = forward
    backward = Primitive(pair.backward, engine)
  }
}
