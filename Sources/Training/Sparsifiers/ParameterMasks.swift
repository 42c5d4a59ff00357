import IR

/// Masks for some of a solver's parameters: a masked weight is zero and gets no updates.
struct ParameterMasks {
  /// By parameter; nil where nothing is masked.
  private(set) var masks: [[Bool]?]

  /// - Precondition: masks are as long as their parameters.
  init(_ masks: [[Bool]?], of parameters: [Parameter]) {
    for (mask, parameter) in zip(masks, parameters) {
      precondition(mask == nil || mask?.count == parameter.count, "one bit for each weight")
    }
    self.masks = masks
  }

  subscript(index: Int) -> [Bool]? {
    get { masks[index] }
    set { masks[index] = newValue }
  }

  /// Sets what is masked to zero.
  func apply(to array: UnsafeMutableBufferPointer<Float>, of index: Int, range: Range<Int>) {
    guard let mask = masks[index], let values = array.baseAddress else { return }
    mask.withUnsafeBufferPointer { mask in
      for i in range { values[i] = mask[i] ? values[i] : 0 }
    }
  }

  func apply(to array: UnsafeMutableBufferPointer<Float>, of index: Int) {
    apply(to: array, of: index, range: 0..<array.count)
  }

  /// The same masks with those that are given in place of their own.
  ///
  /// - Throws: if one has another size than its parameter.
  func replaced(by others: [[Bool]?], parameters: [Parameter]) throws(Diagnostic)
    -> ParameterMasks
  {
    var result = self
    for (index, other) in others.enumerated() {
      guard let other else { continue }
      let parameter = parameters[index]
      guard other.count == parameter.count else {
        throw .error(
          "the mask of array \(parameter.index) of layer \"\(parameter.layer)\" has "
            + "\(other.count) elements where \(parameter.count) are needed")
      }
      result[index] = other
    }
    return result
  }
}

extension TrainingNet {
  /// Whether a parameter is what sparsity is about: the weights of a Convolution or an InnerProduct.
  func isPrunable(_ parameter: Parameter) -> Bool {
    guard parameter.settings.slot.name == "weights",
      let layer = layers.first(where: { $0.name == parameter.layer })
    else { return false }
    switch layer.operation {
    case .operation(.convolution), .operationPerBottom(.convolution), .operation(.innerProduct),
      .operationPerBottom(.innerProduct):
      return true
    default: return false
    }
  }
}
