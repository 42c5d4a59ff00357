import IR
import TestSupport
import Testing

@testable import Codegen

struct ColumnBlocksTests {
  @Test(arguments: 0..<60)
  func `blocks hold every weight that is not zero once, in its column and segment`(seed: Int) throws
  {
    var random = SeededGenerator(seed: UInt64(seed))
    let (outputs, inputs) = (
      random.integer(1...(seed % 2 == 0 ? 40 : 1500)), random.integer(1...20)
    )
    let weights = random.pick(ZeroPattern.allCases).applied(
      to: .random(try Shape([outputs, inputs]), .integers(limit: 2), &random), &random)
    var graph = Graph(name: "net")
    let x = graph.addInput(name: "x", shape: try Shape([1, inputs]))
    let node = try graph.append(
      .innerProduct(InnerProduct(outputs: outputs, hasBias: false)), name: "ip", inputs: [x],
      parameters: [weights], outputNames: ["y"])
    let geometry = try #require(InnerProductGeometry(node, in: graph))
    let blocks = ColumnBlocks(weights.values, geometry)

    var rebuilt = [Float](repeating: 0, count: weights.count)
    #expect(blocks.columnEnds.count == inputs * blocks.segments)
    var begin = 0
    for (list, end) in blocks.columnEnds.enumerated() {
      let (column, segment) = (list / blocks.segments, list % blocks.segments)
      for block in begin..<Int(end) {
        let words = blocks.blocks[block * 6..<block * 6 + 6]
        let rows = words.suffix(2).flatMap { [Int($0 & 0xffff), Int($0 >> 16)] }
        for (word, row) in zip(words, rows) {
          #expect(row / blocks.segmentOutputs == segment)
          rebuilt[row * inputs + column] += Float(bitPattern: word)
        }
      }
      begin = Int(end)
    }
    #expect(begin * 6 == blocks.blocks.count)
    #expect(rebuilt == weights.values)
  }
}
