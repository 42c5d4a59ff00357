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

  public func run() throws(Diagnostic) -> BenchmarkResult {
    for (name, value) in [("--time", options.time), ("--warmup", options.warmup)] {
      guard value.isFinite, (0...86400).contains(value) else {
        throw .error("\(name) \(value): 0 to 86400 seconds are possible")
      }
    }
    let network = try CompiledNetwork(path: options.network)
    let items = try network.items(forBatch: options.batch)
    var bench = try Bench(network, items: items, threads: options.threads)
    let phases = options.warmup + options.time * (options.measuresLayers ? 2 : 1)
    var share = phases > 0 ? options.warmup / phases : 0
    _ = try bench.run(for: options.warmup) { progress("warm up", $0 * share) }
    let start = share
    share = phases > 0 ? options.time / phases : 1
    let seconds = try bench.run(for: options.time) { progress("measure", start + $0 * share) }
    let layers =
      try options.measuresLayers
      ? bench.layers(for: options.time) { fraction in
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
  mutating func run(for time: Double, progress: (Double) -> Void) throws(Diagnostic) -> [Double] {
    let readable = inputs.map { UnsafeBufferPointer($0) }
    let clock = ContinuousClock()
    let start = clock.now
    let limit = Duration.seconds(time)
    var seconds: [Double] = []
    var now = start
    repeat {
      let before = clock.now
      do {
        try context.run(items: items, inputs: readable, outputs: outputs)
      } catch {
        throw .error("\(error)".onOneLine, file: network.path)
      }
      now = clock.now
      seconds.append((now - before) / .seconds(1))
      progress(time > 0 ? min((now - start) / limit, 1) : 1)
    } while now - start < limit
    return seconds
  }

  /// The layers' parts of the mean run.
  mutating func layers(for time: Double, progress: (Double) -> Void) throws(Diagnostic)
    -> [BenchmarkResult.Layer]
  {
    let times: [Double]
    do {
      try context.profile(true)
      let runs = try run(for: time, progress: progress).count
      let manifest = network.manifest
      times = manifest.layerSeconds(try context.layerTimes()).map { $0 / Double(runs) }
      try context.profile(false)
    } catch let error as RunError {
      throw .error("\(error)".onOneLine, file: network.path)
    } catch let error as Diagnostic {
      throw error
    } catch {
      preconditionFailure("a run throws errors of two types")
    }
    let total = times.reduce(0, +)
    return zip(network.manifest.layers, times).map { layer, seconds in
      BenchmarkResult.Layer(layer, seconds: seconds, items: items, total: total)
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
