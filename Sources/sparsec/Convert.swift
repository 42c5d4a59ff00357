import ArgumentParser
import Driver

/// `sparsec convert`.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn data sets and files of Caffe into other files.",
    subcommands: [
      ConvertMNIST.self, ConvertCIFAR10.self, ConvertImages.self, ConvertMean.self,
      ConvertWeights.self, ConvertUpgrade.self,
    ])
}

/// `sparsec convert weights`.
struct ConvertWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Turn a caffemodel into a folder of Matrix Market files, or back.",
    discussion: "The way back needs the shapes of the layers, from --net.")

  @Argument(help: "A caffemodel, or with --net a folder of Matrix Market files.")
  var source: String
  @Option(name: .shortAndLong, help: "The folder or, with --net, the caffemodel to make.")
  var output: String
  @Option(help: ArgumentHelp("The network that the folder belongs to.", valueName: "net.prototxt"))
  var net: String?
  @OptionGroup var definitionOptions: DefinitionOptions

  func run() throws {
    let result =
      if let net {
        try Conversion.weights(
          folder: source, net: net, inputShapes: definitionOptions.inputShape,
          allowUnknownFields: definitionOptions.allowUnknownFields, to: output)
      } else {
        try Conversion.weights(caffemodel: source, toFolder: output)
      }
    for finding in result.findings { Terminal.report(finding) }
    try Terminal.print(result.text)
  }
}

/// `sparsec convert upgrade`.
struct ConvertUpgrade: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade",
    abstract: "Bring a prototxt or caffemodel of an old Caffe into the current form.")

  @Argument(help: "A prototxt of a net or solver, or a caffemodel.")
  var source: String
  @Option(name: .shortAndLong, help: "The file to make.")
  var output: String

  func run() throws {
    let result = try Conversion.upgrade(source, to: output)
    for finding in result.findings { Terminal.report(finding) }
    try Terminal.print(result.text)
  }
}
