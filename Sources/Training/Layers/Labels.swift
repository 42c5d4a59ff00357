import IR

/// Labels beside scores: at each of outer * inner positions one label of 0 ..< classes, some of which may be ignored.
struct Labels {
  let extents: AxisExtents
  private let context: LayerContext
  private let ignored: Int?

  init(_ context: LayerContext, axis: Int, ignored: Int?) {
    self.context = context
    self.ignored = ignored
    extents = AxisExtents(context.input.shape, axis: axis)
  }

  var classes: Int { extents.along }

  /// Calls `body` for every position that counts with its label and its first score; classes lie `extents.inner`
  /// apart.
  ///
  /// - Throws: if a label is no class.
  func visit(_ body: (_ label: Int, _ start: Int) -> Void) throws(Diagnostic) {
    let labels = context.inputs[1].values
    for o in 0..<extents.outer {
      for i in 0..<extents.inner {
        let value = labels[o * extents.inner + i]
        if let ignored, value == Float(ignored) { continue }
        guard value > -1, value < Float(classes) else {
          throw context.error(
            "label \(value) of item \(o) is not one of the \(classes) classes 0 to \(classes - 1)")
        }
        body(Int(value), o * classes * extents.inner + i)
      }
    }
  }

  /// As `visit`, when a forward pass has seen that all labels are classes.
  func visitChecked(_ body: (_ label: Int, _ start: Int) -> Void) {
    do throws(Diagnostic) {
      try visit(body)
    } catch {
      preconditionFailure("the forward pass has checked the labels")
    }
  }
}

extension Loss.Normalization {
  /// What a sum over `valid` of all positions is divided by; never less than 1.
  func divisor(outer: Int, inner: Int, valid: Int) -> Float {
    switch self {
    case .full: Float(outer * inner)
    case .valid: Float(max(valid, 1))
    case .batchSize: Float(outer)
    case .none: 1
    }
  }
}

extension LayerContext {
  /// The objective's derivative by the loss's value.
  var lossGradient: Float { output.gradient[0] }
}
