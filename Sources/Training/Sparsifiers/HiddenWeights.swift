import IR

/// Dense weights that live on out of sight while a net computes with masked ones.
struct HiddenWeights {
  private let parameters: [Parameter]
  /// By parameter; nil where nothing is masked.
  private(set) var masks: [[Bool]?]
  private var stores: [FloatStorage?]
  private(set) var areHidden = false

  /// - Parameter masked: the places of parameters that get masks, all ones at first.
  init(_ masked: [Int], of parameters: [Parameter]) {
    self.parameters = parameters
    masks = parameters.map { _ in nil }
    stores = parameters.map { _ in nil }
    for index in masked {
      masks[index] = [Bool](repeating: true, count: parameters[index].count)
      stores[index] = FloatStorage(parameters[index].count)
    }
  }

  /// Puts masked weights in place of the dense ones.
  mutating func hide() {
    precondition(!areHidden, "hidden once")
    areHidden = true
    for (index, mask) in masks.enumerated() {
      guard let mask, let store = stores[index]?.pointer else { continue }
      let values = parameters[index].values
      for i in values.indices {
        store[i] = values[i]
        if !mask[i] { values[i] = 0 }
      }
    }
  }

  /// Puts the dense weights back.
  mutating func reveal() {
    precondition(areHidden, "what is shown was hidden")
    areHidden = false
    for (index, store) in stores.enumerated() {
      guard let store = store?.pointer else { continue }
      let values = parameters[index].values
      for i in values.indices { values[i] = store[i] }
    }
  }

  /// Sets the dense weights themselves to zero where they are masked.
  func forget() {
    for (index, mask) in masks.enumerated() {
      guard let mask else { continue }
      for i in mask.indices where !mask[i] { parameters[index].values[i] = 0 }
    }
  }

  /// Drops what masked weights have gathered of a gradient.
  func maskGradients() {
    for (index, mask) in masks.enumerated() {
      guard let mask else { continue }
      for i in mask.indices where !mask[i] { parameters[index].gradient[i] = 0 }
    }
  }

  /// Changes the mask of a parameter, element by element, given its dense values.
  mutating func update(_ index: Int, _ body: (Float, Bool) -> Bool) {
    precondition(!areHidden, "masks change while dense weights are in place")
    let values = parameters[index].values
    masks[index]?.withUnsafeMutableBufferPointer { mask in
      for i in mask.indices { mask[i] = body(values[i], mask[i]) }
    }
  }

  /// Takes over a mask.
  ///
  /// - Returns: whether the parameter has masks of this method.
  mutating func adopt(_ mask: [Bool], of index: Int) -> Bool {
    guard masks[index] != nil else { return false }
    precondition(mask.count == parameters[index].count, "one bit for each weight")
    masks[index] = mask
    return true
  }

  /// - Throws: if a mask is missing or has another size than its parameter.
  mutating func restore(_ saved: [[Bool]?]) throws(Diagnostic) {
    for (index, mask) in masks.enumerated() where mask != nil {
      guard let own = saved[index], own.count == parameters[index].count else {
        let parameter = parameters[index]
        throw .error(
          "has no mask for array \(parameter.index) of layer \"\(parameter.layer)\", or one of "
            + "another size")
      }
      masks[index] = own
    }
  }
}
