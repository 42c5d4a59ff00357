import ArgumentParser
import Driver
import IR

/// `sparsec test`.
struct Test: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a network over its test data and print the mean of its outputs.")

  @Option(help: ArgumentHelp("The network's definition, with data layers.", valueName: "prototxt"))
  var model: String
  @Option(
    help: ArgumentHelp(
      "Trained models, separated by commas; layers are found by name.", valueName: "caffemodel"))
  var weights: String
  @Option(help: "How many batches.")
  var iterations = 50
  @Option(help: "How many threads work on it.")
  var threads = 1
  @Option(help: "The level that layers' rules are asked about.")
  var level = 0
  @Option(help: "A stage that layers' rules are asked about; may be repeated.")
  var stage: [String] = []
  @OptionGroup var format: FormatOptions

  func run() throws {
    var options = TestJob.Options(
      model: model, weights: weights.split(separator: ",").map(String.init))
    options.iterations = iterations
    options.threads = threads
    options.level = level
    options.stages = stage
    let progress = Progress.onStandardError()
    defer { progress.clear() }
    var job = TestJob(options)
    job.progress = progress.update
    job.report = { Terminal.report($0) }
    let result = try job.run()
    progress.clear()
    try Terminal.print(format.format == .json ? result.json() : result.text)
  }
}
