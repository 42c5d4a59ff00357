import IR

extension Embed {
  /// output[i] = weights[input[i]] + bias; an index loses its fraction, as in Caffe.
  func evaluate(_ call: LayerCall) throws(EvaluationError) -> [Tensor] {
    var output: [Float] = []
    output.reserveCapacity(call.outputShape.count)
    for position in 0..<call.input.count {
      let row = try call.index(call.input.values[position], at: position, of: rows, "rows")
      for column in 0..<outputs {
        let weight = Double(call.parameters[0].values[row * outputs + column])
        let bias = hasBias ? Double(call.parameters[1].values[column]) : 0
        output.append(Float(weight + bias))
      }
    }
    return call.output(output)
  }
}

extension BatchReindex {
  /// output[i] = first input[second input[i]]; an index loses its fraction, as in Caffe.
  func evaluate(_ call: LayerCall) throws(EvaluationError) -> [Tensor] {
    let rows = call.inputs[0].shape[0]
    let size = call.inputs[0].count / rows
    let indices = call.inputs[1].values
    var output: [Float] = []
    output.reserveCapacity(call.outputShape.count)
    for position in indices.indices {
      let row = try call.index(indices[position], at: position, of: rows, "items")
      output += call.inputs[0].values[row * size..<(row + 1) * size]
    }
    return call.output(output)
  }
}

extension LayerCall {
  /// The integer part of an index that was given as a float, in `0..<count`.
  fileprivate func index(_ value: Float, at position: Int, of count: Int, _ what: String)
    throws(EvaluationError) -> Int
  {
    // Caffe truncates: everything between -1 and 1 is row 0. NaN fails both comparisons.
    guard value > -1, value < Float(count) else {
      throw error("index \(value) at position \(position) is not one of \(count) \(what)")
    }
    return Int(value)
  }
}
