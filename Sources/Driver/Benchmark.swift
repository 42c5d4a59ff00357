import CTimestamp
import Foundation
import IR
import SparsecRuntime

/// What `bench` is asked to do.
public struct BenchmarkOptions: Sendable {
  public var network: String
  public var batch = 1
  public var threads = 1
  /// Seconds of measuring.
  public var time = 3.0
  /// Seconds of running before anything is measured.
  public var warmup = 0.5
  /// Whether to measure each layer too, in another phase of the same time.
  public var measuresLayers = false
  /// Whether layers are also given in the units of SkimCaffe's profile.
  public var profiles = false

  public init(network: String) { self.network = network }
}

/// Measures how fast a network runs on random input: the story of `bench`.
public struct Benchmark {
  public var options: BenchmarkOptions
  /// Told about progress: what is done, and the share of everything.
  public var progress: (String, Double) -> Void = { _, _ in }

  public init(_ options: BenchmarkOptions) { self.options = options }

  /// The input is the same in every run and every process.
  static let seed: UInt64 = 1

  private var measuresLayers: Bool { options.measuresLayers || options.profiles }

  public func run() throws(Diagnostic) -> BenchmarkResult {
    for (name, value) in [("--time", options.time), ("--warmup", options.warmup)] {
      guard value.isFinite, (0...86400).contains(value) else {
        throw .error("\(name) \(value): 0 to 86400 seconds are possible")
      }
    }
    let network = try CompiledNetwork(path: options.network)
    let items = try network.items(forBatch: options.batch)
    var bench = try Bench(network, items: items, threads: options.threads)
    let phases = options.warmup + options.time * (measuresLayers ? 2 : 1)
    var share = phases > 0 ? options.warmup / phases : 0
    _ = try bench.run(for: options.warmup) { progress("warm up", $0 * share) }
    let start = share
    share = phases > 0 ? options.time / phases : 1
    let seconds = try bench.run(for: options.time) { progress("measure", start + $0 * share) }
    let layers =
      try measuresLayers
      ? bench.layers(for: options.time, counting: options.profiles) { fraction in
        progress("measure layers", start + share + fraction * share)
      } : nil
    let latency = BenchmarkResult.Latency(seconds: seconds)
    let rows = items * network.rowsPerItem
    return BenchmarkResult(
      model: options.network, cpu: CPUName.ofThisMachine, batch: rows, threads: options.threads,
      runs: seconds.count, latencyMs: latency,
      throughputPerS: Double(rows) / (latency.mean * 1e-3), layers: layers)
  }
}

/// A context with buffers that stay where they are.
private struct Bench: ~Copyable {
  private let network: CompiledNetwork
  private let items: Int
  private var context: Context
  private let inputs: [UnsafeMutableBufferPointer<Float>]
  private let outputs: [UnsafeMutableBufferPointer<Float>]

  init(_ network: CompiledNetwork, items: Int, threads: Int) throws(Diagnostic) {
    context = try network.context(threads: threads, items: items)
    self.network = network
    self.items = items
    var generator = SeededGenerator(seed: Benchmark.seed)
    inputs = network.model.inputs.map { blob in
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: items * blob.count)
      _ = buffer.initialize(from: RandomInput.unit(count: buffer.count, generator: &generator))
      return buffer
    }
    outputs = network.model.outputs.map { blob in
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: items * blob.count)
      buffer.initialize(repeating: 0)
      return buffer
    }
  }

  deinit { for buffer in inputs + outputs { buffer.deallocate() } }

  /// Runs for a time, at least once, and returns the seconds of every run.
  ///
  /// - Parameter layer: told about every run's layers, if anybody asks.
  mutating func run(
    for time: Double, layers: (([Double]) -> Void)? = nil, progress: (Double) -> Void
  ) throws(Diagnostic) -> [Double] {
    let readable = inputs.map { UnsafeBufferPointer($0) }
    let clock = ContinuousClock()
    let start = clock.now
    let limit = Duration.seconds(time)
    var seconds: [Double] = []
    var sums: [Double] = []
    var now = start
    repeat {
      let before = clock.now
      do {
        try context.run(items: items, inputs: readable, outputs: outputs)
        now = clock.now
        if let layers {
          let old = sums
          sums = network.manifest.layerSeconds(try context.layerTimes())
          layers(old.isEmpty ? sums : zip(sums, old).map { $0 - $1 })
        }
      } catch {
        throw .error("\(error)".onOneLine, file: network.path)
      }
      seconds.append((now - before) / .seconds(1))
      progress(time > 0 ? min((now - start) / limit, 1) : 1)
    } while now - start < limit
    return seconds
  }

  /// The layers' parts of a run: for each the median, since a process that takes the core away for a moment
  /// would spoil a mean.
  ///
  /// - Parameter counting: whether to give their cycles too.
  mutating func layers(
    for time: Double, counting: Bool, progress: (Double) -> Void
  ) throws(Diagnostic) -> [BenchmarkResult.Layer] {
    var samples = [[Double]](repeating: [], count: network.manifest.layers.count)
    let clock = ContinuousClock()
    let (start, first) = (clock.now, timestamp_counter())
    try profile(true)
    let note = { (seconds: [Double]) in
      for (layer, time) in seconds.enumerated() { samples[layer].append(time) }
    }
    _ = try run(for: time, layers: note, progress: progress)
    try profile(false)
    let times = samples.map { BenchmarkResult.Latency.quantile(0.5, of: $0.sorted()) }
    let cycles = Double(timestamp_counter() - first) / ((clock.now - start) / .seconds(1))
    let total = times.reduce(0, +)
    return zip(network.manifest.layers, times).map { layer, seconds in
      var result = BenchmarkResult.Layer(layer, seconds: seconds, items: items, total: total)
      if counting, layer.weights > 0 {
        result.count(cyclesPerSecond: cycles, files: items * network.rowsPerItem)
      }
      return result
    }
  }

  private mutating func profile(_ on: Bool) throws(Diagnostic) {
    do {
      try context.profile(on)
    } catch {
      throw .error("\(error)".onOneLine, file: network.path)
    }
  }
}

/// The name of the CPU.
enum CPUName {
  /// What the system calls this machine's CPU.
  static var ofThisMachine: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return name(inCPUInfo: text) ?? "unknown CPU"
  }

  /// The first `model name` of a text like /proc/cpuinfo.
  static func name(inCPUInfo text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix("model name") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return nil
  }
}
