import ArgumentParser
import Driver

/// `sparsec verify`.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a compiled network with the reference evaluator, blob by blob.",
    discussion: """
      The error of a blob is max|a - b| / max|b|. The exit status is 2 if one is beyond the \
      tolerance.
      """)

  @Argument(help: "The compiled network.")
  var network: String
  @Argument(help: "The network's definition, a prototxt.")
  var definition: String
  @Argument(help: "Its trained weights, a caffemodel.")
  var weights: String
  @Option(help: "The largest error of a blob.")
  var tolerance = 1e-4
  @Option(
    help: ArgumentHelp(
      "An array for an input instead of random numbers; once for each input.",
      valueName: "[name=]file.npy"))
  var input: [String] = []
  @Option(help: "What the random numbers depend on.")
  var seed: UInt64 = 1
  @Option(help: "How many threads the reference evaluator takes.")
  var threads = 1
  @OptionGroup var format: FormatOptions
  @OptionGroup var definitionOptions: DefinitionOptions

  func run() throws {
    var options = VerificationOptions(network: network, definition: definition, weights: weights)
    options.arrays = input
    options.seed = seed
    options.tolerance = tolerance
    options.threads = threads
    options.inputShapes = definitionOptions.inputShape
    options.allowUnknownFields = definitionOptions.allowUnknownFields
    let progress = Progress.onStandardError()
    defer { progress.clear() }
    var verification = NetVerification(options)
    verification.progress = progress.update
    let result = try verification.run()
    progress.clear()
    try Terminal.print(format.format == .json ? result.json() : result.text)
    if !result.isOK { throw ExitCode(2) }
  }
}
