import ArgumentParser
import Driver

/// `sparsec explain`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show why each layer of a compiled network got its kernel.",
    discussion: "Lists every candidate with its predicted time, and why the others lost.")

  @Argument(help: "The compiled network.")
  var network: String
  @Option(help: ArgumentHelp("Explain this layer only.", valueName: "name"))
  var layer: String?
  @OptionGroup var format: FormatOptions

  func run() throws {
    let explanation = try Explanation(network: network, layer: layer)
    try Terminal.print(format.format == .json ? explanation.json() : explanation.text)
  }
}
