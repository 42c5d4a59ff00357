import IR

/// How long a layer took, in seconds.
public struct LayerTime: Hashable, Sendable {
  public var layer: String
  public var type: String
  public var forward = 0.0
  public var backward = 0.0
}

/// A mean absolute value that Caffe prints for `debug_info`.
public struct DebugValue: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Values of a layer's top.
    case top(String)
    /// Values of a learned array, by index.
    case parameter(Int)
    /// Gradient of a layer's bottom.
    case bottomGradient(String)
    /// Gradient of a learned array, by index.
    case parameterGradient(Int)
  }

  public var layer: String
  public var kind: Kind
  public var mean: Float
}

extension ExecutedNet {
  /// The values of the last blob of a name after the last forward pass, row-major; nil if there is none.
  public func blob(_ name: String) -> [Float]? {
    wiring.latest[name].map { plainValues(blobs[$0]) }
  }

  /// The gradient of the last blob of a name after the last backward pass, row-major; nil if there is no such blob or
  /// no gradient reaches it.
  public func gradient(_ name: String) -> [Float]? {
    guard let index = wiring.latest[name] else { return nil }
    let blob = blobs[index]
    guard blob.receivesGradient || blob.lossWeight != 0 else { return nil }
    return plain(blob.gradient, blob)
  }

  public var firstNonFinite: String? {
    for (index, layer) in net.layers.enumerated() {
      for top in wiring.tops[index] where !isFinite(blobs[top].values, blobs[top].count) {
        return layer.name
      }
      for parameter in parametersByLayer[index] where !isFinite(parameter.gradient) {
        return layer.name
      }
    }
    return nil
  }

  /// Sets the time of every layer to 0.
  public func clearLayerTimes() {
    for index in layerTimes.indices {
      layerTimes[index].forward = 0
      layerTimes[index].backward = 0
    }
  }

  func plainValues(_ blob: Blob) -> [Float] { plain(blob.values, blob) }

  func noteForward(_ index: Int) {
    let layer = net.layers[index].name
    for top in wiring.tops[index] {
      note(layer, .top(blobs[top].name), blobs[top].values, blobs[top].count)
    }
    for (place, parameter) in parametersByLayer[index].enumerated() {
      note(layer, .parameter(place), parameter.values.baseAddress, parameter.count)
    }
  }

  func noteBackward(_ index: Int) {
    let layer = net.layers[index].name
    for input in inputs[index] where input.wantsGradient {
      note(layer, .bottomGradient(input.blob.name), input.blob.gradient, input.count)
    }
    for (place, parameter) in parametersByLayer[index].enumerated()
    where plan.parameters[index][place] {
      note(layer, .parameterGradient(place), parameter.gradient.baseAddress, parameter.count)
    }
  }

  private func note(_ layer: String, _ kind: DebugValue.Kind, _ values: Floats?, _ count: Int) {
    guard let values else { return }
    var sum = 0.0
    for i in 0..<count { sum += Double(abs(values[i])) }
    debugValues.append(DebugValue(layer: layer, kind: kind, mean: Float(sum / Double(count))))
  }

  private func plain(_ values: Floats, _ blob: Blob) -> [Float] {
    let result = FloatStorage(blob.count)
    if blob.format == .plain {
      result.pointer.update(from: values, count: blob.count)
    } else {
      guard let reorder = Primitive.reorder(blob.shape, from: blob.format, to: .plain, engine)
      else {
        preconditionFailure("a format that a layer could make can be read")
      }
      reorder.run(values, result.pointer)
    }
    return Array(UnsafeBufferPointer(start: result.pointer, count: blob.count))
  }

  private func isFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
    values.baseAddress.map { isFinite($0, values.count) } ?? true
  }

  private func isFinite(_ values: Floats, _ count: Int) -> Bool {
    for i in 0..<count where !values[i].isFinite { return false }
    return true
  }
}
