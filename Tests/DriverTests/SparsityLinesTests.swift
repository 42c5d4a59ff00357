import IR
import Testing

@testable import Driver
@testable import Training

struct SparsityLinesTests {
  private func arrays() throws -> [ParameterSparsity] {
    func parameter(_ extents: [Int], _ values: [Float], _ blocks: [(Int, Int)] = []) throws
      -> ParameterSparsity
    {
      var settings = TrainingParameter(
        slot: ParameterSlot("weights", try Shape(extents)), filler: .constant(0))
      settings.sparsity.blocks = blocks.map {
        SparsityFields.Block(width: $0.0, height: $0.1, factor: 1)
      }
      let parameter = Parameter(layer: "a", index: 0, settings: settings)
      return withExtendedLifetime(parameter) {
        for (index, value) in values.enumerated() { parameter.values[index] = value }
        return parameter.sparsity
      }
    }
    var conv = try parameter([1, 3, 1, 1], [0, 0, 1], [(1, 1), (3, 1)])
    conv.fibers = .init(
      outputLines: 0.1, inputLines: 0.2, kernelLines: 0.3, outputSlices: 0.4, inputSlices: 0.5,
      kernelSlices: 0.6)
    return [
      try parameter([2], [1, 1]), conv, try parameter([2], [0, 1]),
      try parameter([2, 2], [0, 0, 0, 2], [(2, 1)]),
    ]
  }

  /// Titles, blanks and tabs as in the logs of Wen's and of Intel's repositories.
  @Test(arguments: [TrainingDialect.bvlc, .scnn])
  func `every array has a value, and blocks where it names some`(_ dialect: TrainingDialect) throws
  {
    #expect(
      SparsityLines.text(of: try arrays(), dialect) == [
        "    Element Sparsity %: 0\t66.6667\t50\t75\t",
        "     Column Sparsity %: 0\t66.6667\t0\t50\t",
        "        Row Sparsity %: 0\t0\t50\t50\t",
        "      Block Sparsity %: \t(1,1):66.6667;(3,1):0;\t\t(2,1):50;\t",
      ])
  }

  @Test func `SkimCaffe leaves out biases, and counts lines and slices of convolutions`() throws {
    #expect(
      SparsityLines.text(of: try arrays(), .skim) == [
        "    Element Sparsity %: 66.6667\t75\t", "        OC-fiber Sparsity %: 10\t",
        "        IC-fiber Sparsity %: 20\t", "        kernel-fiber Sparsity %: 30\t",
        "        OC-slice Sparsity %: 40\t", "        IC-slice Sparsity %: 50\t",
        "        kernel-slice Sparsity %: 60\t",
      ])
  }
}
