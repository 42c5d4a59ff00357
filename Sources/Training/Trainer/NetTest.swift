import IR

/// Testing a net over some batches, as `caffe test` and a solver's test nets do.
public enum NetTest {
  public struct Result: Hashable, Sendable {
    /// The net's outputs, each value the mean over the batches.
    public var outputs: [NetOutput]
    /// The mean objective.
    public var loss: Float
    /// Whether all batches were seen.
    public var isComplete: Bool
  }

  /// Takes batches through the net and averages its outputs.
  ///
  /// - Parameters:
  ///   - iterations: how many batches; at least 1.
  ///   - perBatch: told the number of the batch and the net's outputs; false ends the test.
  /// - Throws: what the net and its data throw.
  public static func run(
    _ net: any TrainedNet, iterations: Int,
    perBatch: (Int, [NetOutput]) -> Bool = { _, _ in true }
  ) throws(Diagnostic) -> Result {
    var sum: [NetOutput] = []
    var loss: Float = 0
    for batch in 0..<iterations {
      loss += try net.forward()
      let outputs = net.outputs
      if batch == 0 {
        sum = outputs
      } else {
        for (index, output) in outputs.enumerated() {
          for i in output.values.indices { sum[index].values[i] += output.values[i] }
        }
      }
      if !perBatch(batch, outputs) {
        return Result(outputs: [], loss: 0, isComplete: false)
      }
    }
    let count = Float(iterations)
    for index in sum.indices { sum[index].values = sum[index].values.map { $0 / count } }
    return Result(outputs: sum, loss: loss / count, isComplete: true)
  }
}
