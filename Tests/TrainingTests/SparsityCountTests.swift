import IR
import Testing

@testable import Training

/// How many weights are zero, counted as the forks count.
@Suite struct SparsityCountTests {
  /// [outputs 2, inputs 2, kernel 1 x 3].
  private static let values: [Float] = [
    0, 0, 0, 1, 0, 2,
    0, 0, 0, 0, 0, 5e-5,
  ]

  private func parameter(_ blocks: [(width: Int, height: Int)] = []) throws -> Parameter {
    var settings = TrainingParameter(
      slot: ParameterSlot("weights", try Shape([2, 2, 1, 3])), filler: .constant(0))
    settings.sparsity.blocks = blocks.map {
      SparsityFields.Block(width: $0.width, height: $0.height, factor: 1)
    }
    let parameter = Parameter(layer: "conv", index: 0, settings: settings)
    for (index, value) in Self.values.enumerated() { parameter.values[index] = value }
    return parameter
  }

  @Test func `blocks are tiles of the matrix of rows and columns`() throws {
    let sparsity = try parameter([(3, 1), (1, 2), (3, 2), (4, 2)]).sparsity
    #expect(sparsity.elements == 10.0 / 12 && sparsity.columns == 4.0 / 6 && sparsity.rows == 0)
    #expect(
      sparsity.tiles == [
        .init(width: 3, height: 1, share: 0.5), .init(width: 1, height: 2, share: 4.0 / 6),
        .init(width: 3, height: 2, share: 0.5),
        // The second tile has two columns left.
        .init(width: 4, height: 2, share: 0),
      ])
    #expect(try parameter().sparsity.tiles.isEmpty)
  }

  @Test(arguments: [TrainingDialect.bvlc, .scnn, .skim])
  func `lines and slices are counted in SkimCaffe's dialect`(_ dialect: TrainingDialect) throws {
    var settings = SolverSettings()
    settings.dialect = dialect
    settings.forkFields.measureThreshold = 5e-5
    let definition = try FakeNet.definition()
    let parameter = try parameter()
    let trainer = Trainer(
      settings: settings, net: FakeNet(parameters: [parameter]), definition: definition
    ) { _ in "" }
    let sparsity = try #require(trainer.sparsity.first)
    guard dialect == .skim else {
      #expect(sparsity == parameter.sparsity && sparsity.fibers == nil)
      return
    }
    // 5e-5 itself counts as zero.
    #expect(sparsity.elements == 10.0 / 12)
    let fibers = try #require(sparsity.fibers)
    #expect(fibers.outputLines == 4.0 / 6)
    #expect(fibers.inputLines == 4.0 / 6)
    #expect(fibers.kernelLines == 0.75)
    #expect(fibers.outputSlices == 0.5 && fibers.inputSlices == 0.5)
    #expect(fibers.kernelSlices == 1.0 / 3)
    settings.forkFields.measureThreshold = 1e-5
    let strict = Trainer(
      settings: settings, net: FakeNet(parameters: [parameter]), definition: definition
    ) { _ in "" }
    #expect(strict.sparsity.first?.elements == 9.0 / 12)
    #expect(strict.sparsity.first?.fibers?.kernelLines == 0.5)
  }
}
