import IR

extension ExecutedNet {
  public var state: [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for (layer, execution) in zip(net.layers, executions) {
      let state = execution.state
      if !state.isEmpty { result[layer.name] = state }
    }
    return result
  }

  public func restore(_ state: [String: [UInt8]]) throws(Diagnostic) {
    for (layer, execution) in zip(net.layers, executions) where !execution.state.isEmpty {
      guard let saved = state[layer.name] else {
        throw .error("the snapshot says nothing about \(layer.title): it is from another net")
      }
      try execution.restore(saved)
    }
  }
}
