import Caffe
import Driver
import Foundation
import IR
import Passes
import TestSupport
import Testing

/// The convolutions of CaffeNet as pruned by group lasso and by L1.
@Suite(.serialized, .enabled(if: Workplace.has(PrunedCaffeNet.files), "needs ../shared/models"))
struct PrunedCaffeNetTests {
  @Test(arguments: PrunedCaffeNet.allCases)
  func `zeros of every kind are those of the published matrices`(net: PrunedCaffeNet) throws {
    let place = try Workplace()
    var options = Inspection.Options(file: try Workplace.shared(net.definition))
    options.weights = try place.fetch(net.weights)
    let sizes = [BlockSize(rows: 4, columns: 4), BlockSize(rows: 7, columns: 10)]
    options.blocks = sizes
    guard case .net(let inspection) = try Inspection(options) else {
      Issue.record("a net is a net")
      return
    }
    var compared = 0
    for layer in inspection.layers where layer.type == "Convolution" {
      let groups = try #require(layer.groups)
      #expect(groups.count == (["conv2", "conv4", "conv5"].contains(layer.name) ? 2 : 1))
      let matrix = try PublishedMatrix(contentsOf: Workplace.shared(net.matrix(of: layer.name)))
      let taps = ["conv1": 121, "conv2": 25][layer.name, default: 9]
      for (group, counted) in groups.enumerated() {
        func expect(
          _ count: (zero: Int, total: Int), _ kind: String, height: Int?, width: Int?
        ) {
          let truth = matrix.zeroBlocks(
            group: group, of: groups.count, height: height, width: width)
          #expect(
            count == truth, "\(kind) of \(layer.name), group \(group)")
          compared += 1
        }
        expect(pair(counted.elements), "elements", height: 1, width: 1)
        expect(pair(counted.filters), "rows", height: 1, width: nil)
        expect(pair(counted.columns), "columns", height: nil, width: 1)
        expect(pair(counted.channels), "channels", height: nil, width: taps)
        expect(pair(counted.kernels), "kernels", height: 1, width: taps)
        #expect(counted.blocks.count == sizes.count)
        for (size, blocks) in zip(sizes, counted.blocks) {
          expect(
            (blocks.zero, blocks.total), "blocks", height: size.rows, width: size.columns)
        }
      }
      let sum = try #require(layer.sparsity)
      #expect(sum.filters.zero == groups.reduce(0) { $0 + $1.filters.zero })
      print(
        "\(net) \(layer.name): zero rows \(sum.filters.zero)/\(sum.filters.total), columns "
          + "\(sum.columns.zero)/\(sum.columns.total)")
    }
    #expect(compared == 8 * 7)
  }

  private func pair(_ count: SparsityByKind.Count) -> (zero: Int, total: Int) {
    (count.zero, count.total)
  }

  struct Folding: CustomTestStringConvertible {
    var net: PrunedCaffeNet
    var change: PrunedCaffeNet.Change?
    var testDescription: String { "\(net)\(change.map { ", \($0.rawValue)" } ?? "")" }
  }

  static let foldings = [
    Folding(net: .groupLasso), Folding(net: .groupLasso, change: .biases),
    Folding(net: .groupLasso, change: .deadFilters), Folding(net: .l1, change: .biases),
  ]

  /// Outputs of the folded network, of the unfolded one and of the reference evaluator agree.
  @Test(arguments: foldings)
  func `folding does not change the results`(folding: Folding) throws {
    let place = try Workplace()
    let definition = try Workplace.shared(folding.net.definition)
    var weights = try place.fetch(folding.net.weights)
    if let change = folding.change {
      let changed = place.path("changed.caffemodel")
      try PrunedCaffeNet.changed(weights, change, seed: 7).write(to: changed)
      weights = changed
    }
    let passes = Set(Pipeline.structure(vocabulary: .everything).passes.map(\.name))
    let unfolded = try place.compile(definition, weights, as: "unfolded.so", disabled: passes)
    let folded = try place.compile(definition, weights, as: "folded.so")
    let graph = try NetworkSource.read(definition: definition, weights: weights).graph

    let compiled = try place.output(of: folded.file, seed: 3)
    let plain = try place.output(of: unfolded.file, seed: 3)
    let between = error(compiled, against: plain)
    #expect(between <= 1e-5)
    var options = VerificationOptions(
      network: folded.file, definition: definition, weights: weights)
    options.threads = 2
    options.tolerance = 1e-5
    let result = try NetVerification(options).run()
    #expect(result.isOK, "\(result.text)")
    let after = try GraphComparison.folded(graph).graph
    let alone = try GraphComparison(graph).error(of: after)
    // Constants are summed in double and rounded once, with the bias; so is every element of the layer.
    #expect(alone.worst <= 1e-6)
    print(
      "\(folding.testDescription): folded against unfolded \(between), against the reference "
        + "\(result.worst?.error ?? 0), structure passes alone \(alone.worst)"
    )
    report(graph, after, folded.manifest)
    // Group lasso leaves nobody who reads a dead filter; only then constants have to move.
    if folding.change == .deadFilters {
      let moved = Set(
        folded.manifest.folded.filter { $0.by == "fold-constant-channels" }.map(\.name))
      #expect(moved.isSuperset(of: ["conv2", "conv3", "conv4", "conv5"]))
      let corrected = folded.manifest.layers.filter { $0.type == "BorderBias" }.map(\.name)
      #expect(
        corrected.contains { $0.hasPrefix("conv4") } && corrected.contains { $0.hasPrefix("conv5") }
      )
    }
  }

  private func error(_ a: [Float], against b: [Float]) -> Double {
    let scale = b.reduce(0) { max($0, abs($1)) }
    return Double(zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }) / Double(scale)
  }

  /// Prints what remains of each layer.
  private func report(_ before: Graph, _ after: Graph, _ manifest: Manifest) {
    func weights(_ graph: Graph) -> [String: Tensor] {
      Dictionary(
        graph.order.map { graph[$0] }.filter { $0.sourceType == "Convolution" }
          .map { ($0.name, $0.parameters[0]) }, uniquingKeysWith: { first, _ in first })
    }
    let (old, new) = (weights(before), weights(after))
    for layer in manifest.layers where old[layer.name] != nil {
      let from = old[layer.name]?.shape.extents ?? []
      let to = new[layer.name]?.shape.extents ?? []
      print("  \(layer.name): \(from) -> \(to), \(layer.kernel)")
    }
    for pass in manifest.passes where pass.multiplyAdds > 0 {
      print(
        "  \(pass.name): \(pass.filters) filters, \(pass.channels) channels, \(pass.columns) columns, "
          + "\(pass.multiplyAdds) of \(manifest.source.multiplyAdds) multiply-adds")
    }
  }
}

/// The two published prunings.
enum PrunedCaffeNet: String, CaseIterable, CustomTestStringConvertible, CustomStringConvertible {
  case groupLasso = "caffenet_conv_ssl"
  case l1 = "caffenet_conv_l1"

  var definition: String { "models/\(rawValue)/deploy.prototxt" }
  var weights: String { "models/\(rawValue)/\(rawValue).caffemodel.gz" }
  func matrix(of layer: String) -> String { "models/\(rawValue)/weights/coo_\(layer).weight.gz" }

  static let files = allCases.flatMap { net in
    [net.definition, net.weights] + (1...5).map { net.matrix(of: "conv\($0)") }
  }

  var description: String { rawValue }
  var testDescription: String { rawValue }

  /// What is done to a model so that dead filters leave constants, and that these are read.
  enum Change: String {
    /// Random biases, none of them zero.
    case biases = "with biases"
    /// Besides, every fifth filter is zero, which the next layer goes on reading.
    case deadFilters = "with biases and more dead filters"
  }

  /// The model with such a change.
  static func changed(_ file: String, _ change: Change, seed: UInt64) throws -> Caffemodel {
    var random = SeededGenerator(seed: seed)
    var model = try Caffemodel(contentsOf: file)
    for index in model.layers.indices where model.layers[index].blobs.count > 1 {
      let weights = model.layers[index].blobs[0].tensor
      let filters = weights.shape[0]
      let biases = (0..<filters).map { _ in
        Float.random(in: 0.01...0.2, using: &random) * (random.chance(0.6) ? 1 : -1)
      }
      model.layers[index].blobs[1] = Blob(Tensor(shape: .vector(filters), values: biases))
      guard change == .deadFilters else { continue }
      let size = weights.count / filters
      let values = weights.values.enumerated().map { place, value in
        place / size % 5 == 2 ? 0 : value
      }
      model.layers[index].blobs[0] = Blob(Tensor(shape: weights.shape, values: values))
    }
    return model
  }
}
