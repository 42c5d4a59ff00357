import IR

/// SkimCaffe's L1_DNS: dense weights U take the updates, and the net computes with those of them above
/// `prune_threshold`; a weight comes back when its U grows past it. On convolution weights only.
///
/// Unlike SkimCaffe, U starts as the weights are; there it starts at zero and destroys trained ones.
public final class SplicedThreshold: Sparsifier {
  private let threshold: Float
  private let parameters: [Parameter]
  private let isSpliced: [Bool]
  /// U by parameter, from the first update on; nil for what is not spliced.
  private var dense: [FloatStorage?]

  public init(_ fields: ForkFields, usual: Regularization, parameters: [Parameter]) {
    threshold = fields.pruneThreshold
    self.parameters = parameters
    isSpliced = parameters.map {
      $0.shape.axes == 4 && ($0.settings.regularization ?? usual) == .l1WithSplicing
    }
    dense = parameters.map { _ in nil }
  }

  public var name: String { "spliced threshold" }

  public func beginUpdate(_ progress: TrainingProgress) {
    for (index, parameter) in parameters.enumerated()
    where isSpliced[index] && dense[index] == nil {
      dense[index] = FloatStorage(copying: parameter.values)
    }
  }

  public func endIteration(_ progress: TrainingProgress) {
    for (index, parameter) in parameters.enumerated() {
      guard let dense = dense[index]?.pointer else { continue }
      for i in parameter.values.indices {
        let value = dense[i]
        parameter.values[i] = abs(value) > threshold ? value : 0
      }
    }
  }

  public func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    guard let dense = dense[index]?.pointer else { return }
    for i in range { dense[i] -= parameter.gradient[i] }
  }

  public var state: [UInt8] {
    MethodState.bytes(
      of: zip(dense, parameters).map { dense, parameter in
        dense.map { Array(UnsafeBufferPointer(start: $0.pointer, count: parameter.count)) }
      })
  }

  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: [[Float]?] = try MethodState.value(of: state, name)
    guard saved.count == parameters.count,
      zip(saved, parameters).allSatisfy({ $0 == nil || $0?.count == $1.count })
    else { throw .error("the snapshot's dense weights are of another net") }
    dense = saved.map { $0.map { values in FloatStorage(values) } }
  }
}
