import IR

extension Caffemodel {
  /// The model as the current format would hold it.
  ///
  /// Old four-axis shapes become what the layer types mean by them: weights of inner products
  /// get two axes and biases one. A blob of a type whose old shape is ambiguous keeps it. V0's
  /// `padding` layers, which have no successor and no parameters, are dropped.
  public func upgraded() -> Caffemodel {
    var current = self
    current.generation = .current
    current.layers = layers.filter { generation != .v0 || $0.type != "padding" }.map { layer in
      var layer = layer
      layer.blobs = layer.blobs.enumerated().map { index, blob in
        blob.upgraded(index: index, type: layer.type)
      }
      return layer
    }
    return current
  }
}

extension Blob {
  fileprivate func upgraded(index: Int, type: String) -> Blob {
    guard isLegacy else { return self }
    let axes: Int
    switch (type, index) {
    case ("Convolution", 0), ("Deconvolution", 0): axes = 4
    case ("InnerProduct", 0): axes = 2
    case ("Convolution", 1), ("Deconvolution", 1), ("InnerProduct", 1): axes = 1
    default: return self
    }
    let leading = shape.extents.dropLast(axes)
    guard leading.allSatisfy({ $0 == 1 }),
      let modern = try? Shape(Array(shape.extents.suffix(axes)))
    else { return self }
    return Blob(tensor.reshaped(to: modern))
  }
}
