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

  /// Which parameters have masks, for snapshots: the masks themselves are kept with the weights, where those of all
  /// methods are one.
  var state: [UInt8] { MethodState.bytes(of: masks.indices.filter { masks[$0] != nil }) }

  /// The same masks with those of a snapshot in place of their own.
  ///
  /// - Parameter state: of the masks that were saved.
  /// - Throws: if one has another size than its parameter.
  func replaced(by others: [[Bool]?], _ state: [UInt8], parameters: [Parameter])
    throws(Diagnostic) -> ParameterMasks
  {
    let own: [Int] = try MethodState.value(of: state, "masks")
    var result = self
    for index in own where others.indices.contains(index) {
      guard let other = others[index] else { continue }
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
