import ArgumentParser
import Driver

/// `sparsec run`.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a compiled network look at images and print the best classes.",
    discussion: """
      The first output of the network counts as the scores of the classes, unless --scores names \
      another; --output has all outputs. Images that cannot be read are named, the others go on, and the exit status is 1 \
      then.
      """)

  @Argument(help: "The compiled network.")
  var network: String
  @Argument(help: ArgumentHelp("JPEG or PNG files, or folders of them.", valueName: "image"))
  var images: [String] = []
  @Option(
    help: ArgumentHelp(
      "An array for an input, instead of images, in the network's own shape with any number of "
        + "rows; once for each input.", valueName: "[name=]file.npy"))
  var input: [String] = []
  @Option(help: ArgumentHelp("Write all outputs, by name.", valueName: "file.npz"))
  var output: String?
  @Flag(help: "Write all other named blobs that are left to --output, too.")
  var blobs = false
  @Option(
    help: ArgumentHelp(
      "The output that ranks the classes; the first by default.", valueName: "blob"))
  var scores: String?
  @Option(help: "How many classes to print.")
  var top = 5
  @Flag(help: "Print the time of every layer after the run.")
  var profile = false
  @OptionGroup var runOptions: RunOptions
  @OptionGroup var format: FormatOptions
  @OptionGroup(title: "Pictures (instead of what was built in)") var imageOptions: ImageOptions

  func validate() throws {
    guard images.isEmpty != input.isEmpty else {
      throw ValidationError("Give either images or arrays (--input).")
    }
    guard !blobs || output != nil else { throw ValidationError("--blobs goes with --output.") }
    guard top >= 1 else { throw ValidationError("--top \(top): 1 or more is possible.") }
    guard input.isEmpty || imageOptions.preprocessing.isEmpty else {
      throw ValidationError("Arrays (--input) are taken as they are; leave options for images out.")
    }
  }

  func run() throws {
    let progress = Progress.onStandardError()
    defer { progress.clear() }
    var run = PredictionRun(options)
    run.progress = progress.update
    run.onProblem = { problem in
      progress.clear()
      Terminal.report(errorLine(problem) ?? "")
    }
    run.onPrediction = { prediction in
      progress.clear()
      try Terminal.print(format.format == .json ? prediction.jsonLine() : prediction.text)
    }
    let result = try run.run()
    progress.clear()
    if let table = result.profile {
      // Standard output holds nothing but JSON then.
      if format.format == .json { Terminal.report(table) } else { try Terminal.print("\n" + table) }
    }
    if result.failures > 0 { throw ExitCode(1) }
  }

  private var options: PredictionOptions {
    var options = PredictionOptions(network: network)
    options.images = images
    options.arrays = input
    options.output = output
    options.keepsBlobs = blobs
    options.scores = scores
    options.top = top
    options.labels = imageOptions.labels
    options.batch = runOptions.batch
    options.threads = runOptions.threads
    options.preprocessing = imageOptions.preprocessing
    options.isProfiled = profile
    return options
  }
}
