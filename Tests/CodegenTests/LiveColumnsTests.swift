import IR
import TestSupport
import Testing

@testable import Codegen

struct LiveColumnsTests {
  @Test(arguments: 0..<100)
  func `every weight that is not zero is multiplied once`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let groups = random.integer(1...3)
    let (channels, filters) = (random.integer(1...5), random.integer(1...20))
    let node = try Self.convolution(groups, channels, filters) { shape in
      random.pick(ZeroPattern.allCases).applied(
        to: .random(shape, .integers(limit: 2), &random), &random)
    }
    let weights = node.weights.values
    let tileOutputs = random.integer(1...14)
    let live = LiveColumns(
      FilterPatterns(weights, node.geometry), tileOutputs: tileOutputs)
    var visits = [Int](repeating: 0, count: weights.count)
    for block in live.blocks {
      #expect(!block.filters.isEmpty && block.filters.count <= tileOutputs)
      #expect(block.filters.allSatisfy { $0 / filters == block.group })
      #expect(!live.lists[block.list].isEmpty)
      for filter in block.filters {
        for column in live.lists[block.list] {
          visits[filter * node.geometry.columns + column] += 1
        }
      }
    }
    for (weight, count) in zip(weights, visits) {
      #expect(weight == 0 ? count <= 1 : count == 1)
    }
    #expect(live.weightCount == visits.reduce(0, +))
    let all = live.blocks.flatMap(\.filters) + live.deadFilters
    #expect(all.sorted() == Array(0..<groups * filters))
    // A filter of zeros is in no block, and a group's column of zeros in no list.
    let columns = node.geometry.columns
    for filter in 0..<groups * filters {
      let isZero = weights[filter * columns..<(filter + 1) * columns].allSatisfy { $0 == 0 }
      #expect(isZero == live.deadFilters.contains(filter))
    }
    for block in live.blocks {
      for column in live.lists[block.list] {
        let group = block.group * filters..<(block.group + 1) * filters
        #expect(group.contains { weights[$0 * columns + column] != 0 })
      }
    }
  }

  @Test func `without weights nothing is left out`() throws {
    let node = try Self.convolution(2, 3, 7) {
      Tensor(shape: $0, values: .init(repeating: 0, count: $0.count))
    }
    let all = LiveColumns(FilterPatterns(nil, node.geometry), tileOutputs: 6)
    #expect(all.weightCount == node.weights.count)
    #expect(all.deadFilters == [])
    #expect(all.blocks.map(\.filters.count) == [6, 1, 6, 1])
    let none = LiveColumns(FilterPatterns(node.weights.values, node.geometry), tileOutputs: 6)
    #expect(none.weightCount == 0)
    #expect(none.deadFilters == Array(0..<14))
  }

  @Test func `filters with few weights are not multiplied beside those with many`() throws {
    let node = try Self.convolution(1, 2, 12) { shape in
      Tensor(
        shape: shape, values: (0..<shape.count).map { $0 / 18 % 2 == 1 || $0 % 18 == 5 ? 1 : 0 })
    }
    let live = LiveColumns(FilterPatterns(node.weights.values, node.geometry), tileOutputs: 6)
    #expect(live.blocks.map { Array($0.filters) } == [[1, 3, 5, 7, 9, 11], [0, 2, 4, 6, 8, 10]])
    #expect(live.blocks.map { live.lists[$0.list] } == [Array(0..<18), [5]])
  }

  @Test func `the cost counts columns and filters of each group`() throws {
    // Of the first group the first channel's columns are zero, of the second group the second's; and of both
    // every second filter.
    let node = try Self.convolution(2, 2, 12) { shape in
      Tensor(
        shape: shape,
        values: (0..<shape.count).map { index in
          let (filter, column) = index.quotientAndRemainder(dividingBy: 18)
          return column / 9 == filter / 12 || filter % 2 == 0 ? 0 : 1
        })
    }
    func cost(_ kernel: any Kernel) throws -> (seconds: Double, reason: String) {
      let target = Target(architecture: "test", lanes: 8)
      let candidate = try #require(
        kernel.candidate(for: node.id, in: node.graph, target: target))
      return (try #require(candidate.cost), candidate.reason)
    }
    let dense = try cost(DenseConvolution())
    let compact = try cost(ColumnsConvolution())
    #expect(dense.reason == "all weights are multiplied at full speed")
    #expect(
      compact.reason
        == "25.0 % of the weights are not zero; 12 of 24 filters and 50.0 % of the columns "
        + "are multiplied at full speed")
    // Beside the product there is a fixed cost, and filters are filled.
    let ratio = compact.seconds / dense.seconds
    #expect(ratio > 0.25 && ratio < 0.35, "\(ratio)")
  }

  /// A 3 x 3 convolution of a large image.
  private static func convolution(
    _ groups: Int, _ channels: Int, _ filters: Int, weights: (Shape) -> Tensor
  ) throws -> (graph: Graph, id: NodeID, geometry: ConvolutionGeometry, weights: Tensor) {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, groups * channels, 60, 60]))
    let window = Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1])
    let tensor = weights(try Shape([groups * filters, channels, 3, 3]))
    let id = try graph.append(
      .convolution(
        Convolution(filters: groups * filters, window: window, groups: groups, hasBias: false)),
      name: "conv", inputs: [data], parameters: [tensor], outputNames: ["conv"])
    graph.setOutputs(graph[id].outputs)
    let geometry = try #require(ConvolutionGeometry(id, in: graph))
    return (graph, id, geometry, tensor)
  }
}
