import Dispatch
import IR

/// What a layer gets when it is evaluated.
struct LayerCall {
  var layerName: String
  var inputs: [Tensor]
  var parameters: [Tensor]
  var outputShapes: [Shape]
  var threads: Int

  /// The first input, for layers that have just one.
  var input: Tensor { inputs[0] }
  /// The first output's shape, for layers that have just one.
  var outputShape: Shape { outputShapes[0] }

  /// The only output, from its values.
  func output(_ values: [Float]) -> [Tensor] { [Tensor(shape: outputShape, values: values)] }

  func error(_ message: String) -> EvaluationError { EvaluationError(layer: layerName, message) }

  /// Calls `body` for disjoint ranges that cover `0..<count`, on as many threads as there are.
  func inParallel(_ count: Int, _ body: (Range<Int>) -> Void) {
    let parts = min(threads, count)
    if parts <= 1 { return body(0..<count) }
    withoutActuallyEscaping(body) { body in
      // Safe because parts write to places of their own, and all end before this call does.
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: parts) { part in
        body(count * part / parts..<count * (part + 1) / parts)
      }
    }
  }
}

extension Shape {
  /// `canonicalAxis`, for an axis that the layer's shape rule has accepted.
  func resolved(_ axis: Int) -> Int {
    let canonical = axis < 0 ? axis + axes : axis
    precondition((0..<axes).contains(canonical), "the shape rule has checked the axis")
    return canonical
  }

  /// The numbers of elements before, along and behind an axis that the shape rule has accepted.
  func extents(around axis: Int) -> (outer: Int, along: Int, inner: Int) {
    let axis = resolved(axis)
    return (count(upTo: axis), self[axis], count(from: axis + 1))
  }
}
