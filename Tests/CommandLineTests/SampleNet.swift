import Foundation
import IR
import NumPy
import Testing

/// A net for gray pictures of 4x4 pixels whose three scores can be told by hand: a quarter of the
/// sum of all pixels, the first pixel, and 7.
enum SampleNet {
  static let definition = definition(batch: 1)

  static func definition(batch: Int) -> String {
    """
    name: "tiny"
    layer {
      name: "data" type: "Input" top: "data"
      input_param { shape { dim: \(batch) dim: 1 dim: 4 dim: 4 } }
    }
    layer {
      name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
      inner_product_param { num_output: 3 }
    }
    layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }

    """
  }

  /// The same with a batch that no run can change.
  static let fixedDefinition =
    definition(batch: 2) + """
      layer {
        name: "again" type: "Reshape" bottom: "ip" top: "scores"
        reshape_param { shape { dim: 2 dim: 3 } }
      }

      """

  static var weights: [(String, String, [Tensor])] {
    get throws {
      let rows = [[Float](repeating: 0.25, count: 16), [1] + zeros(15), zeros(16)]
      return [
        (
          "ip", "InnerProduct",
          [
            Tensor(shape: try Shape([3, 16]), values: rows.flatMap(\.self)),
            Tensor(shape: .vector(3), values: [0, 0, 7]),
          ]
        )
      ]
    }
  }

  private static func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }

  /// Writes net.prototxt and net.caffemodel.
  static func write(to workplace: Workplace) throws {
    try workplace.write(definition, "net.prototxt")
    try workplace.write(weights: weights, "net.caffemodel")
  }

  /// A net that several tests use, compiled once.
  struct Compiled {
    let workplace: Workplace
    let outcome: Outcome

    init(_ definition: String, _ options: String...) throws {
      workplace = try Workplace()
      try SampleNet.write(to: workplace)
      try workplace.write(definition, "net.prototxt")
      try workplace.write("dark\nfirst\nseven\n", "labels.txt")
      outcome = try workplace.sparsec(
        ["compile", "net.prototxt", "net.caffemodel", "-o", "net.so"] + options)
    }

    /// The compiled file's name.
    func network() throws -> String {
      try #require(outcome.status == 0, "\(outcome.errors)")
      return workplace.path("net.so")
    }
  }

  private static let compiled = Result {
    try Compiled(definition, "--labels", "labels.txt", "--batch", "3", "--target", "x86-64-v3")
  }
  private static let fixed = Result { try Compiled(fixedDefinition, "--mean", "1") }

  /// The net, for batches of up to 3, with labels.
  static func shared() throws -> Compiled { try compiled.get() }

  /// The net whose batch is fixed at 2.
  static func sharedFixed() throws -> Compiled { try fixed.get() }
}
