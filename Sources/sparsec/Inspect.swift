import ArgumentParser
import Driver

/// `sparsec inspect`.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is in a prototxt, caffemodel, solverstate or compiled network.",
    discussion: """
      The content tells which kind of file it is. A network's prototxt together with its weights \
      shows zeros by kind: elements, filters, columns, channels, kernels and blocks, for each group \
      of a convolution.
      """)

  @Argument(help: "The file.")
  var file: String
  @Argument(help: "The caffemodel that belongs to a prototxt.")
  var weights: String?
  @Option(
    help: ArgumentHelp(
      "Count zero blocks of so many rows (filters) and columns of the weight matrix; may be "
        + "repeated. Without it, blocks are those of block_group_lasso in the prototxt, and "
        + "\(BlockSize.standard.rows)x\(BlockSize.standard.columns) in other layers.",
      valueName: "YxX"))
  var block: [BlockSize] = []
  @OptionGroup var format: FormatOptions
  @OptionGroup var definitionOptions: DefinitionOptions

  func run() throws {
    var options = Inspection.Options(file: file)
    options.weights = weights
    options.blocks = block
    options.inputShapes = definitionOptions.inputShape
    options.allowUnknownFields = definitionOptions.allowUnknownFields
    let inspection = try Inspection(options)
    for finding in inspection.findings { Terminal.report(finding) }
    try Terminal.print(format.format == .json ? inspection.json() : inspection.text)
  }
}

extension BlockSize: ExpressibleByArgument {
  public init?(argument: String) { self.init(text: argument) }
}
