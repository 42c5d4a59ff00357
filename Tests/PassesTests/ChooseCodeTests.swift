import IR
import Passes
import Testing

/// The chooser between kernels of data and kernels of code, and between predictions and measurements.
struct ChooseCodeTests {
  /// Convolutions as a table, or as three megabytes of code; the second one gains more by it.
  struct Kernels: KernelSource {
    var measured: [String: Double] = [:]
    var hinted = ""
    var tableCost: Double?

    func candidates(for node: NodeID, in graph: Graph) -> [KernelCandidate] {
      let name = graph[node].name
      var table = KernelCandidate(
        kernel: "table", fit: .fits(cost: tableCost ?? (name == "two" ? 5 : 2)),
        inputs: [.planes(.none)], outputs: [.anyPlanes], reason: "data")
      var code = KernelCandidate(
        kernel: "code", fit: .fits(cost: 1), inputs: [.planes(.none)], outputs: [.anyPlanes],
        reason: "instructions")
      code.codeBytes = 3 << 20
      table.measuredCost = measured["table"]
      code.measuredCost = measured["code"]
      table.isHinted = hinted == "table"
      return [table, code]
    }
  }

  /// The kernels of layers `one` and `two`.
  private func kernels(_ chooser: ChooseKernels) throws -> [String] {
    var (graph, data) = try Graph.image()
    let one = try graph.add(.convolution(Self.pointwise), "one", [data])
    let two = try graph.add(.convolution(Self.pointwise), "two", [one])
    graph.setOutputs([two])
    let lowered = try chooser.run(graph)
    return graph.order.map { lowered.kernels[$0]?.kernel ?? "none" }
  }

  private static let pointwise = Convolution(filters: 2, window: Window(kernel: [1, 1]))

  @Test func `code beyond the budget goes where it gains least`() throws {
    #expect(try kernels(ChooseKernels(source: Kernels())) == ["table", "code"])
    #expect(
      try kernels(ChooseKernels(source: Kernels(), codeBudget: 6 << 20)) == ["code", "code"])
    #expect(
      try kernels(ChooseKernels(source: Kernels(), codeBudget: 0)) == ["table", "table"])
  }

  @Test func `a kernel asked for by name keeps its code`() throws {
    let chooser = ChooseKernels(source: Kernels(), forced: ["one": "code"])
    #expect(try kernels(chooser) == ["code", "table"])
  }

  @Test func `weights stand where the user wants them`() throws {
    let streamed = ChooseKernels(source: Kernels(), weightForm: .streamed)
    #expect(try kernels(streamed) == ["table", "table"])
    let slowCode = Kernels(measured: ["table": 1, "code": 9])
    let coded = ChooseKernels(
      source: slowCode, weightForm: .hardCoded, codeBudget: 8 << 20)
    #expect(try kernels(coded) == ["code", "code"])
  }

  @Test func `measurements outweigh predictions, which are not compared with them`() throws {
    let both = Kernels(measured: ["table": 1, "code": 2])
    #expect(try kernels(ChooseKernels(source: both)) == ["table", "table"])
    // Slower than every prediction, but the only one that is known.
    let one = Kernels(measured: ["table": 100])
    #expect(try kernels(ChooseKernels(source: one)) == ["table", "table"])
  }

  @Test func `the file's hint decides where predictions are close, and measurements need none`()
    throws
  {
    func kernels(_ cost: Double, measured: [String: Double] = [:]) throws -> [String] {
      let source = Kernels(measured: measured, hinted: "table", tableCost: cost)
      return try self.kernels(ChooseKernels(source: source, codeBudget: .max))
    }
    #expect(try kernels(1.1) == ["table", "table"])
    #expect(try kernels(1.3) == ["code", "code"])
    #expect(try kernels(1.1, measured: ["table": 1.1, "code": 1]) == ["code", "code"])
  }
}
