import ArgumentParser
import Caffe
import Foundation
import IR

/// Makes networks to play with: any definition, with random weights of given sparsity.
@main
struct ExampleWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "example-weights",
    abstract:
      "Writes seeded random weights for a network of Convolution, InnerProduct, BatchNorm and Scale layers."
  )

  @Argument(help: "The network's definition.")
  var network: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The share of a layer's weights that are not zero, 0 to 1; repeatable.",
      valueName: "layer=share"))
  var density: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The same for the Convolution and InnerProduct layers that --density does not name.",
      valueName: "share"))
  var defaultDensity = 1.0

  @Option(name: .long, help: "Another seed gives other weights.")
  var seed: UInt64 = 1

  @Option(name: .shortAndLong, help: "The caffemodel to write.")
  var output: String

  func validate() throws {
    _ = try densities()
    guard (0...1).contains(defaultDensity) else {
      throw ValidationError("--default-density \(defaultDensity): expected a share of 0 to 1")
    }
  }

  func run() throws {
    do {
      let prototxt = try Prototxt.read(network, as: .net)
      var options = NetReader.Options()
      options.weightsOptional = true
      let graph = try NetReader.read(prototxt, options: options).graph
      var weights = RandomWeights(
        densities: try densities(), defaultDensity: defaultDensity, seed: seed)
      try weights.model(for: graph).write(to: output)
    } catch let diagnostic as Diagnostic {
      FileHandle.standardError.write(Data("\(diagnostic)\n".utf8))
      throw ExitCode.failure
    }
  }

  private func densities() throws -> [String: Double] {
    var result: [String: Double] = [:]
    for wish in density {
      guard let equals = wish.lastIndex(of: "="),
        let share = Double(wish[wish.index(after: equals)...]), (0...1).contains(share)
      else { throw ValidationError("--density \(wish): expected LAYER=SHARE, a share of 0 to 1") }
      result[String(wish[..<equals])] = share
    }
    return result
  }
}
