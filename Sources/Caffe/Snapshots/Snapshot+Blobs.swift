import IR

extension Snapshot {
  /// The weights as a caffemodel has them: shared arrays with every layer that uses them.
  ///
  /// - Parameter masks: how it tells which weights are masked.
  func caffemodel(_ masks: MaskFormat) -> Caffemodel {
    var model = Caffemodel(name: netName, layers: layers.map { blobs(of: $0, masks) })
    model.stamp = stamp
    return model
  }

  /// A layer as a caffemodel has it; what a fork's form has no blob for is in the private field.
  func blobs(of layer: Layer, _ format: MaskFormat) -> LayerBlobs {
    var result = LayerBlobs(
      name: layer.name, type: layer.type, blobs: layer.arrays.map { Blob($0.tensor) })
    for (index, array) in layer.arrays.enumerated() {
      result.masks[index] = array.mask
      result.gradients[index] = array.gradient
    }
    if layer.type == WinogradDomain.layerType { result.turnWeights() }
    if let type = format.maskedType(of: layer.type),
      !result.masks.isEmpty || type == layer.type && format == .original,
      (1...2).contains(layer.arrays.count)
    {
      result.type = type
      result.takeMasksAsBlobs(format) { index in
        denseArrays.first { $0.layer == layer.name && $0.index == index }?.tensor
      }
    }
    return result
  }

  /// What tells that two files belong together: a hash of iteration and weights, so that the same run writes the
  /// same bytes again.
  var stamp: UInt64 {
    layers.flatMap(\.arrays).reduce(UInt64(iteration)) { ($0 &* 31) ^ $1.tensor.stableHash }
  }
}

extension LayerBlobs {
  /// Brings weights of the Winograd domain to the order that files have.
  fileprivate mutating func turnWeights() {
    let shape = blobs[0].shape
    let (rows, columns) = (shape[0] * shape[1], shape[2] * shape[3])
    blobs[0] = Blob(WinogradDomain.turned(blobs[0].tensor))
    masks[0] = masks[0].map { WinogradDomain.turned($0, rows: rows, columns: columns) }
    gradients[0] = gradients[0].map { WinogradDomain.turned($0) }
  }

  /// Turns masks into blobs of zeros and ones behind the others, where the fork looks for them.
  ///
  /// - Parameters:
  ///   - format: one of the forks'.
  ///   - dense: the values of a blob behind its mask; nil if they are zero.
  fileprivate mutating func takeMasksAsBlobs(_ format: MaskFormat, dense: (Int) -> Tensor?) {
    // Of the forks only the first masks biases.
    let count = format == .original ? blobs.count : 1
    for index in 0..<count {
      let shape = blobs[index].shape
      let mask = masks.removeValue(forKey: index)
      let values = mask?.map { $0 ? Float(1) : 0 } ?? [Float](repeating: 1, count: shape.count)
      if let dense = dense(index), dense.shape == shape { blobs[index] = Blob(dense) }
      blobs.append(Blob(Tensor(shape: shape, values: values)))
    }
  }
}
