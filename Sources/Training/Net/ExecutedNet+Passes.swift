import IR

extension ExecutedNet {
  public func forward() throws(Diagnostic) -> Float {
    debugValues = []
    var objective: Float = 0
    for index in executions.indices {
      let start = timesLayers ? ContinuousClock.now : nil
      for input in inputs[index] { input.load() }
      try executions[index].forward()
      if let start { layerTimes[index].forward += (ContinuousClock.now - start).seconds }
      for top in wiring.tops[index] { objective += weighted(blobs[top]) }
      if net.debugInfo { noteForward(index) }
    }
    return objective
  }

  public func backward() throws(Diagnostic) {
    for blob in begunBlobs { blob.startGradient() }
    for index in executions.indices.reversed() where plan.runs[index] {
      let start = timesLayers ? ContinuousClock.now : nil
      executions[index].backward()
      for input in inputs[index] { input.storeGradient() }
      if let start { layerTimes[index].backward += (ContinuousClock.now - start).seconds }
      if net.debugInfo { noteBackward(index) }
    }
  }

  private func weighted(_ blob: Blob) -> Float {
    guard blob.lossWeight != 0 else { return 0 }
    var sum = 0.0
    for i in 0..<blob.count { sum += Double(blob.values[i]) }
    return blob.lossWeight * Float(sum)
  }
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
