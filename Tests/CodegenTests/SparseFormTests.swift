import IR
import TestSupport
import Testing

@testable import Codegen

struct SparseFormTests {
  /// First-level caches of 48 kB and more once let slabs grow beyond the panel, which lies on the stack.
  @Test(arguments: [8, 16], [16, 32, 48, 64, 192])
  func `slabs fit into the panel whatever the cache`(_ lanes: Int, _ kilobytes: Int) throws {
    let target = Target(architecture: "test", lanes: lanes, level1Bytes: kilobytes << 10)
    for extent in [1, 7, 13, 14, 15, 28, 56, 112] {
      for channels in [1, 3, 64, 74, 100, 511, 512, 513] {
        let geometry = try Self.geometry(channels: channels, extent: extent)
        let form = SparseForm(geometry, target)
        #expect(form.isPacked)
        let table = SparseTable(
          [Float](repeating: 1, count: channels * channels), geometry,
          Layout.dense.pitches(of: try Shape([1, channels, extent, extent])), form)
        #expect(table.slabColumns * form.panelPitch <= SparseForm.panelFloats)
        #expect(table.slabColumns * table.slabs >= channels)
      }
    }
  }

  private static func geometry(channels: Int, extent: Int) throws -> ConvolutionGeometry {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, channels, extent, extent]))
    let id = try graph.append(
      .convolution(
        Convolution(
          filters: channels,
          window: Window(kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1, 1]),
          hasBias: false)),
      name: "conv", inputs: [data],
      parameters: [Tensor(shape: try Shape([channels, channels, 1, 1]), repeating: 1)],
      outputNames: ["conv"])
    graph.setOutputs(graph[id].outputs)
    return try #require(ConvolutionGeometry(id, in: graph))
  }
}
