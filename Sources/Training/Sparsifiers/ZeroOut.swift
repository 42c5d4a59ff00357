/// The zero-out of structured sparsity learning (scnn): after every update each learned value below the threshold,
/// be it weight, bias or statistic, becomes zero. It may grow again; momentum is not touched.
public final class ZeroOut: Sparsifier {
  /// What scnn has compiled in.
  public static let threshold: Float = 1e-4

  public init() {}

  public var name: String { "zero-out" }

  public func finishUpdate(of parameter: Parameter, index: Int, range: Range<Int>) {
    guard let values = parameter.values.baseAddress else { return }
    let value = values + range.lowerBound
    let threshold = Self.threshold
    for i in 0..<range.count { value[i] = abs(value[i]) < threshold ? 0 : value[i] }
  }
}
