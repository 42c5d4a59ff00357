import IR
import TestSupport
import Testing

@testable import Codegen

struct KernelCatalogTests {
  @Test func `a kernel's name is its own, and a name in C`() {
    let names = KernelCatalog.kernels.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names {
      #expect(name == CText.identifier(name) && name.first?.isLetter == true)
      #expect(KernelCatalog.kernel(named: name).name == name)
    }
  }

  @Test func `every type of layer has a kernel that fits`() throws {
    var seen: Set<String> = []
    for seed in 0..<300 {
      let network = try LoweredNetwork(seed: seed)
      let catalog = KernelCatalog(target: network.target)
      let graph = network.lowered.graph
      for id in graph.order {
        let candidates = catalog.candidates(for: id, in: graph)
        #expect(candidates.contains { $0.cost != nil }, "\(graph[id].name) of seed \(seed)")
        for candidate in candidates where candidate.cost != nil {
          #expect(candidate.inputs.count == graph[id].inputs.count, "\(candidate.kernel)")
          #expect(candidate.outputs.count == graph[id].outputs.count, "\(candidate.kernel)")
          #expect((candidate.cost ?? -1) >= 0 && candidate.cost?.isFinite == true)
          #expect(!candidate.reason.isEmpty)
        }
        seen.insert(try caseName(graph[id].operation))
      }
    }
    #expect(Self.caseNames.subtracting(seen) == [])
    // A pyramid is always taken apart.
    #expect(seen.subtracting(Self.caseNames) == [])
  }

  /// All cases that reach the chooser.
  private static let caseNames: Set<String> = [
    "argMax", "batchNorm", "batchReindex", "bias", "borderBias", "concat", "constant",
    "convolution", "crop", "deconvolution", "elementwise", "eltwise", "embed", "flatten",
    "identity", "im2col", "innerProduct", "lrn", "mvn", "parameter", "pooling", "preLU",
    "reduction", "repack", "reshape", "scale", "silence", "slice", "softmax", "split", "tile",
  ]

  private func caseName(_ operation: IR.Operation) throws -> String {
    try #require(Mirror(reflecting: operation).children.first?.label)
  }
}
