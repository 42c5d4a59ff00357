import Foundation
import IR
import Training

/// How many weights are zero, in the lines of Caffe's forks: one value in percent for every learned array, each
/// followed by a tab.
enum SparsityLines {
  /// Lines as the dialect's own code prints them. SkimCaffe leaves out biases; what others print is scnn's.
  static func text(of sparsity: [ParameterSparsity], _ dialect: TrainingDialect) -> [String] {
    guard dialect == .skim else {
      return [
        line("    Element", sparsity) { value($0.elements) },
        line("     Column", sparsity) { value($0.columns) },
        line("        Row", sparsity) { value($0.rows) },
        line("      Block", sparsity) { array in
          array.tiles.map { "(\($0.width),\($0.height)):\(value($0.share));" }.joined()
        },
      ]
    }
    let fibers = sparsity.compactMap(\.fibers)
    let transformed = sparsity.compactMap(\.winograd)
    return [line("    Element", sparsity.filter { $0.axes >= 2 }) { value($0.elements) }]
      + (transformed.isEmpty ? [] : [line("    Winograd Old", transformed) { value($0) }])
      + fiberLines.map { title, share in
        line("        \(title)", fibers) { value($0[keyPath: share]) }
      }
  }

  private static let fiberLines:
    [(title: String, share: any KeyPath<ParameterSparsity.Fibers, Double> & Sendable)] = [
      ("OC-fiber", \.outputLines), ("IC-fiber", \.inputLines), ("kernel-fiber", \.kernelLines),
      ("OC-slice", \.outputSlices), ("IC-slice", \.inputSlices),
      ("kernel-slice", \.kernelSlices),
    ]

  private static func line<Array>(
    _ title: String, _ arrays: [Array], _ text: (Array) -> String
  ) -> String {
    "\(title) Sparsity %: " + arrays.map { text($0) + "\t" }.joined()
  }

  /// Six significant digits of a percentage, as C++ streams print them.
  private static func value(_ share: Double) -> String {
    String(format: "%g", Double(Float(100 * share)))
  }
}
