import ArgumentParser
import Driver
import Foundation

/// Where the program starts: runs a subcommand, and turns what goes wrong into a line and a status.
@main
enum Main {
  static func main() {
    // A reader that goes away, as `head` does, ends the program without a word.
    signal(SIGPIPE, SIG_DFL)
    Interruption.watch()
    do {
      var command = try Sparsec.parseAsRoot()
      try command.run()
    } catch {
      guard let line = errorLine(error) else { Sparsec.exit(withError: error) }
      Terminal.report(line)
      Sparsec.exit(withError: ExitCode(1))
    }
  }
}

/// The whole command line.
struct Sparsec: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sparsec",
    abstract: "Compiles pruned Caffe networks into fast native code that needs nothing else.",
    discussion: """
      Results go to standard output, progress and diagnostics to standard error. The exit status \
      is 0 for success, 1 if a file or the machine is at fault, 2 if a check ran and failed, and \
      64 for wrong usage.
      """,
    version: Version.text,
    subcommands: [
      Compile.self, Run.self, Verify.self, Inspect.self, Explain.self, Bench.self, Fold.self,
      Train.self, Test.self, Convert.self, PlotLogs.self,
    ])
}
