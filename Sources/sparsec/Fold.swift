import ArgumentParser
import Driver

/// `sparsec fold`.
struct Fold: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Write a network of Caffe without what is zero in it: smaller, with the same results.",
    discussion: """
      Removes filters, channels, columns and layers that do not change the outputs, and says what \
      each pass removed. What Caffe's layers cannot express stays, with the reason on standard \
      error. What is written is the network for testing, as in a deploy.prototxt, with inputs \
      instead of data layers and without losses. Before that it is run beside the original one on \
      a random input; the exit status is 2, and nothing is written, if the outputs differ.
      """)

  @Argument(help: "The network's definition, a prototxt.")
  var definition: String
  @Argument(help: "Its trained weights, a caffemodel.")
  var weights: String
  @Option(
    name: .shortAndLong, parsing: .upToNextOption,
    help: ArgumentHelp(
      "The two files to make: a prototxt and a caffemodel.",
      valueName: "net.prototxt net.caffemodel"))
  var output: [String]
  @Flag(inversion: .prefixedNo, help: "Compare the outputs of both networks.")
  var check = true
  @OptionGroup var format: FormatOptions
  @OptionGroup var definitionOptions: DefinitionOptions

  func validate() throws {
    guard output.count == 2 else {
      throw ValidationError(
        "Name two files to make with -o, a prototxt and a caffemodel; "
          + "\(output.count) \(output.count == 1 ? "is" : "are") there.")
    }
  }

  func run() throws {
    var options = FoldOptions(
      definition: definition, weights: weights, foldedDefinition: output[0],
      foldedWeights: output[1])
    options.inputShapes = definitionOptions.inputShape
    options.allowUnknownFields = definitionOptions.allowUnknownFields
    options.isChecked = check
    let progress = Progress.onStandardError()
    defer { progress.clear() }
    var folding = NetFolding(options)
    folding.progress = progress.update
    let result = try folding.run()
    progress.clear()
    for finding in result.findings + result.kept { Terminal.report(finding) }
    try Terminal.print(format.format == .json ? result.json() : result.text)
    if !result.isOK { throw ExitCode(2) }
  }
}
