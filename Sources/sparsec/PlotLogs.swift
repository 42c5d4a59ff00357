import ArgumentParser
import Driver

/// `sparsec plot`.
struct PlotLogs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw loss, accuracy and sparsity over iterations from logs of training.",
    discussion: """
      Reads logs of Caffe and its forks, and those of `sparsec train --log` in either style; files \
      may be compressed with gzip. Several logs are drawn into the same diagrams.
      """)

  @Argument(help: ArgumentHelp("Logs of training runs.", valueName: "log"))
  var logs: [String]
  @Option(name: .shortAndLong, help: "The file to make: .svg or .png.")
  var output: String

  func run() throws { try Terminal.print(Plot.draw(logs, to: output).text) }
}
