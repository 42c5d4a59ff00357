import IR

/// A blob as one layer reads it, in the format that the layer wants.
final class LayerInput {
  let blob: Blob
  /// Whether the layer passes a gradient to the blob.
  let wantsGradient: Bool
  /// Whether the blob's gradient has been begun by others when this layer's turn comes, so that its own is added.
  private let addsGradient: Bool
  private let slot: Int
  private let engine: Engine
  /// What the layer reads; plain unless it says otherwise.
  var format = BlobFormat.plain
  private var copy: FloatStorage?
  private var loading: Primitive?
  private var storing: Primitive?

  /// - Parameter slot: the place among the layer's inputs.
  init(_ blob: Blob, slot: Int, wantsGradient: Bool, addsGradient: Bool, engine: Engine) {
    self.blob = blob
    self.slot = slot
    self.wantsGradient = wantsGradient
    self.addsGradient = addsGradient
    self.engine = engine
  }

  var shape: Shape { blob.shape }
  var count: Int { blob.count }

  /// Takes the blob as it comes.
  func keepFormat() { format = blob.format }

  /// Prepares what the layer's choice of format needs, once it has chosen.
  func prepare() throws(Diagnostic) {
    let converts = format != blob.format
    if converts {
      copy = FloatStorage(count)
      loading = .reorder(shape, from: blob.format, to: format, engine)
      storing = .reorder(shape, from: format, to: blob.format, adds: addsGradient, engine)
      guard loading != nil, storing != nil else {
        throw .error("oneDNN cannot reorder a blob of shape \(shape)")
      }
    }
    if wantsGradient, converts || addsGradient { engine.reserve(slot: slot, count: count) }
  }

  /// Fetches the values before the layer runs forward.
  func load() {
    if let copy { loading?.run(blob.values, copy.pointer) }
  }

  /// In the layer's format; also while it runs backward.
  var values: Floats { copy?.pointer ?? blob.values }

  /// Where the layer writes the gradient, in its format.
  var gradient: Floats {
    copy != nil || addsGradient ? engine.scratch(slot: slot) : blob.gradient
  }

  /// Brings the gradient to the blob when the layer has written it.
  func storeGradient() {
    guard wantsGradient else { return }
    if let storing {
      storing.run(gradient, blob.gradient)
    } else if addsGradient {
      engine.add(gradient, to: blob.gradient, count: count)
    }
  }
}
