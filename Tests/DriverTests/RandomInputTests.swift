import IR
import Testing

@testable import Driver

struct RandomInputTests {
  @Test func `the generator is SplitMix64`() {
    var generator = SeededGenerator(seed: 1_234_567)
    // The first outputs that the published reference implementation gives for this seed.
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
  }

  @Test func `numbers lie in -1 to 1, on both sides of 0`() throws {
    var graph = Graph(name: "net")
    let input = graph.addInput(name: "data", shape: .vector(1000))
    var generator = SeededGenerator(seed: 3)
    let values = RandomInput.values(for: input, in: graph, generator: &generator)
    #expect(values.count == 1000)
    #expect(values.allSatisfy { (-1..<1).contains($0) })
    #expect(values.contains { $0 < -0.5 } && values.contains { $0 > 0.5 })
  }

  @Test func `an embedding gets every index that it has, and no other`() throws {
    var graph = Graph(name: "net")
    let input = graph.addInput(name: "words", shape: .vector(200))
    try graph.append(
      .embed(Embed(outputs: 2, rows: 5, hasBias: false)), name: "embed", inputs: [input],
      parameters: [Tensor(shape: Shape([5, 2]), repeating: 1)], outputNames: ["vectors"])
    var generator = SeededGenerator(seed: 4)
    let values = RandomInput.values(for: input, in: graph, generator: &generator)
    #expect(Set(values) == [0, 1, 2, 3, 4])
  }
}
