import ArgumentParser
import Driver

/// `sparsec inspect`.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is in a prototxt, caffemodel, solverstate or compiled network.",
    discussion: """
      The content tells which kind of file it is. A network's prototxt together with its weights \
      shows zeros by kind: elements, filters, columns, channels and kernels, for each group of a \
      convolution.
      """)

  @Argument(help: "The file.")
  var file: String
  @Argument(help: "The caffemodel that belongs to a prototxt.")
  var weights: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var definitionOptions: DefinitionOptions

  func run() throws {
    var options = Inspection.Options(file: file)
    options.weights = weights
    options.inputShapes = definitionOptions.inputShape
    options.allowUnknownFields = definitionOptions.allowUnknownFields
    let inspection = try Inspection(options)
    for finding in inspection.findings { Terminal.report(finding) }
    try Terminal.print(format.format == .json ? inspection.json() : inspection.text)
  }
}
