import IR
import Testing

@testable import Driver
@testable import Passes

struct PassSummaryTests {
  /// A grouped convolution, a ReLU and an inner product over 1x2x2x2.
  private static func graph() throws -> Graph {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 2, 2, 2]))
    let conv = try graph.append(
      .convolution(Convolution(filters: 4, window: Window(kernel: [1, 1]), groups: 2)),
      name: "conv", inputs: [data],
      parameters: [
        Tensor(shape: try Shape([4, 1, 1, 1]), repeating: 1),
        Tensor(shape: .vector(4), repeating: 0),
      ],
      outputNames: ["conv"])
    let ip = try graph.append(
      .innerProduct(InnerProduct(outputs: 3, hasBias: false)), name: "ip",
      inputs: graph[conv].outputs,
      parameters: [Tensor(shape: try Shape([3, 16]), repeating: 1)], outputNames: ["ip"])
    graph.setOutputs(graph[ip].outputs)
    return graph
  }

  private static func finding(_ layer: String, _ kind: Finding.Kind, _ reason: String) -> Finding {
    Finding(layer: layer, type: "T", kind: kind, reason: reason)
  }

  private static let reports = [
    PassReport(
      name: "quiet", findings: [], filters: 0, channels: 0, columns: 0, layers: 0, multiplyAdds: 0,
      bytes: 0),
    PassReport(
      name: "drop-unread-channels",
      findings: [
        finding("ip", .removed, "nobody reads it"), finding("conv/border", .removed, "needless"),
        finding("conv", .changed, "lost 2 filters"), finding("ip", .kept, "it is an output"),
      ], filters: 2, channels: 1, columns: 4, layers: 1, multiplyAdds: 1_040, bytes: 40),
    PassReport(
      name: "fuse-activations",
      findings: [
        finding("conv", .fused(into: "ip"), "in registers"), finding("ip", .kept, "it is alone"),
      ], filters: 0, channels: 0, columns: 0, layers: -1, multiplyAdds: 0, bytes: -2_000),
  ]

  @Test func `what the passes did is sorted by kind, and names what is in the file only`() throws {
    let summary = PassSummary(try Self.graph(), Self.reports)
    #expect(
      summary.removed == [
        Manifest.Removed(
          name: "conv", type: "T", by: "fuse-activations", reason: "fused into ip: in registers"),
        Manifest.Removed(
          name: "ip", type: "T", by: "drop-unread-channels", reason: "nobody reads it"),
      ])
    #expect(
      summary.folded == [
        Manifest.Remark(
          name: "conv", type: "T", by: "drop-unread-channels", what: "lost 2 filters")
      ])
    #expect(summary.kept.map(\.what) == ["it is an output", "it is alone"])
    // Two matrices of 2x1 and one of 3x16; 8 and 51 weights and biases.
    #expect(
      summary.source
        == Manifest.Totals(
          layers: 2, filters: 7, channels: 18, columns: 18, multiplyAdds: 16 + 48,
          bytes: 4 * (8 + 48)))
  }

  @Test func `the table has the passes that did something, their sum and its share`() throws {
    #expect(
      PassSummary(try Self.graph(), Self.reports).text == """
        removed  type  by                    reason
        conv     T     fuse-activations      fused into ip: in registers
        ip       T     drop-unread-channels  nobody reads it

        kept  type  by                    reason
        ip    T     drop-unread-channels  it is an output

        saved by              layers  filters  channels  columns  multiply-adds     bytes
        drop-unread-channels       1        2         1        4          1.0 k      40 B
        fuse-activations          -1        0         0        0              0   -2.0 kB
        together                   0        2         1        4          1.0 k   -2.0 kB
        of all                     2        7        18       18             64     224 B
        share                  0.0 %   28.6 %     5.6 %   22.2 %       1625.0 %  -875.0 %

        """)
  }

  @Test func `passes that did nothing leave no table`() throws {
    #expect(PassSummary(try Self.graph(), [Self.reports[0]]).text == "")
  }
}
