import Foundation
import IR

/// How fast a network runs; its JSON form is a contract.
public struct BenchmarkResult: Codable, Hashable, Sendable {
  /// Milliseconds of one run, over all runs that were measured.
  public struct Latency: Codable, Hashable, Sendable {
    public var median: Double
    public var mean: Double
    public var p10: Double
    public var p90: Double
    public var p99: Double

    /// - Precondition: there is a run.
    init(seconds: [Double]) {
      let sorted = seconds.map { $0 * 1e3 }.sorted()
      median = Self.quantile(0.5, of: sorted)
      mean = sorted.reduce(0, +) / Double(sorted.count)
      p10 = Self.quantile(0.1, of: sorted)
      p90 = Self.quantile(0.9, of: sorted)
      p99 = Self.quantile(0.99, of: sorted)
    }

    /// Between neighbours in proportion, as NumPy's `quantile`.
    static func quantile(_ share: Double, of sorted: [Double]) -> Double {
      let place = share * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }
  }

  /// The part of one layer of the prototxt, and of those fused into it, in a run.
  public struct Layer: Codable, Hashable, Sendable {
    public var name: String
    public var type: String
    public var fused: [String]
    public var kernel: String
    /// Milliseconds of a run.
    public var ms: Double
    /// Billions of floating point operations of a run if every weight counts: twice the
    /// multiply-adds.
    public var denseGflop: Double
    /// Those operations per second: what a dense layer would have to reach.
    public var effectiveGflops: Double
    /// The operations of nonzero weights per second.
    public var realGflops: Double
    /// Of all layers' time, 0 to 1.
    public var share: Double
    /// Thousands of cycles, and millions of dense operations, for one row of input, as SkimCaffe's profile has
    /// them; absent from layers without weights, and if nobody asked.
    public var kiloCyclesPerFile: Double?
    public var megaflopPerFile: Double?

    enum CodingKeys: String, CodingKey {
      case name, type, fused, kernel, ms, share
      case denseGflop = "dense_gflop"
      case effectiveGflops = "effective_gflops"
      case realGflops = "real_gflops"
      case kiloCyclesPerFile = "k_cycles_per_file"
      case megaflopPerFile = "mflops_per_file"
    }
  }

  public var model: String
  public var cpu: String
  public var batch: Int
  public var threads: Int
  public var runs: Int
  public var latencyMs: Latency
  /// Rows of input per second, at the mean latency.
  public var throughputPerS: Double
  public var layers: [Layer]?

  enum CodingKeys: String, CodingKey {
    case model, cpu, batch, threads, runs, layers
    case latencyMs = "latency_ms"
    case throughputPerS = "throughput_per_s"
  }

  /// The document.
  public func json() throws(Diagnostic) -> String { try JSONText.document(self) }

  /// The result for people; ends as Caffe's `time` does.
  public var text: String {
    var text = "\(model.onOneLine) on \(cpu): batch \(batch), "
    text += "\(Quantity.plural(threads, "thread")), \(Quantity.plural(runs, "run"))\n\n"
    if let layers { text += Self.table(layers) + "\n" + profile(of: layers) }
    let times = [
      ("median", latencyMs.median), ("mean", latencyMs.mean), ("10 %", latencyMs.p10),
      ("90 %", latencyMs.p90), ("99 %", latencyMs.p99),
    ].map { "\($0) \(Quantity.decimal($1, 4)) ms" }
    text += "Latency: \(times.joined(separator: ", "))\n"
    text += "Throughput: \(Quantity.decimal(throughputPerS, 1)) per second\n"
    return text + "Average Forward pass: \(Quantity.decimal(latencyMs.mean, 4)) ms.\n"
  }

  private static func table(_ layers: [Layer]) -> String {
    var table = TextTable(
      ("layer", .left), ("type", .left), ("kernel", .left), ("ms", .right), ("share", .right),
      ("dense GFLOP", .right), ("effective GFLOP/s", .right), ("real GFLOP/s", .right))
    for layer in layers {
      table.add(
        ([layer.name] + layer.fused).joined(separator: "+"), layer.type, layer.kernel,
        Quantity.decimal(layer.ms, 4), Quantity.percent(layer.share),
        Quantity.decimal(layer.denseGflop, 4), Quantity.decimal(layer.effectiveGflops, 1),
        Quantity.decimal(layer.realGflops, 1))
    }
    return table.text
  }
}

extension BenchmarkResult.Layer {
  /// - Parameters:
  ///   - seconds: of one run.
  ///   - items: items of a run.
  ///   - total: seconds of all layers.
  init(_ layer: Manifest.Layer, seconds: Double, items: Int, total: Double) {
    name = layer.name
    type = layer.type
    fused = layer.fused
    kernel = layer.kernel
    ms = seconds * 1e3
    let flopPerMultiplyAdd = 2.0
    denseGflop = flopPerMultiplyAdd * Double(layer.denseMultiplyAdds) * Double(items) * 1e-9
    let realGflop = flopPerMultiplyAdd * Double(layer.nonzeroMultiplyAdds) * Double(items) * 1e-9
    effectiveGflops = seconds > 0 ? denseGflop / seconds : 0
    realGflops = seconds > 0 ? realGflop / seconds : 0
    share = total > 0 ? seconds / total : 0
  }
}

// MARK: - SkimCaffe's profile

extension BenchmarkResult {
  /// The lines that end a test run of SkimCaffe, for the scripts that read them; nothing if nobody asked.
  fileprivate func profile(of layers: [Layer]) -> String {
    let lines = layers.compactMap(\.profile)
    if lines.isEmpty { return "" }
    return "Total-images-processed: \(runs * batch)\n" + lines.joined(separator: "\n") + "\n\n"
  }
}

extension BenchmarkResult.Layer {
  /// Adds what SkimCaffe counts. Its cycles are those of the time stamp counter.
  mutating func count(cyclesPerSecond: Double, files: Int) {
    kiloCyclesPerFile = ms * 1e-3 * cyclesPerSecond * 1e-3 / Double(files)
    megaflopPerFile = denseGflop * 1e3 / Double(files)
  }

  /// SkimCaffe's line, whose GF/s are those of a dense layer; then the rate of the nonzero weights.
  fileprivate var profile: String? {
    guard let kiloCyclesPerFile, let megaflopPerFile else { return nil }
    return "\(name.onOneLine) K-cycles-per-file \(Quantity.decimal(kiloCyclesPerFile, 2)) "
      + "mFlops-per-file \(Quantity.decimal(megaflopPerFile, 2)) "
      + "GF/s \(Quantity.decimal(effectiveGflops, 2)) "
      + "real GF/s \(Quantity.decimal(realGflops, 2))"
  }
}
