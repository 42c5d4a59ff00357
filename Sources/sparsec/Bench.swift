import ArgumentParser
import Driver

/// `sparsec bench`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how fast a compiled network runs on random input.")

  @Argument(help: "The compiled network.")
  var network: String
  @OptionGroup var runOptions: RunOptions
  @Option(help: ArgumentHelp("How long to measure.", valueName: "seconds"))
  var time = 3.0
  @Option(help: ArgumentHelp("How long to run before measuring.", valueName: "seconds"))
  var warmup = 0.5
  @Flag(help: "Measure each layer too, in a phase of its own.")
  var layers = false
  @Flag(
    help: "Also give K-cycles per file, and effective and real GF/s, in the lines of SkimCaffe.")
  var profile = false
  @OptionGroup var format: FormatOptions

  func run() throws {
    var options = BenchmarkOptions(network: network)
    options.batch = runOptions.batch
    options.threads = runOptions.threads
    options.time = time
    options.warmup = warmup
    options.measuresLayers = layers
    options.profiles = profile
    let progress = Progress.onStandardError()
    defer { progress.clear() }
    var benchmark = Benchmark(options)
    benchmark.progress = progress.update
    let result = try benchmark.run()
    progress.clear()
    try Terminal.print(format.format == .json ? result.json() : result.text)
  }
}
