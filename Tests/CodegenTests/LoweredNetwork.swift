import Codegen
import IR
import Passes
import TestSupport

/// A random network with kernels and layouts, as the compiler makes it.
struct LoweredNetwork {
  let lowered: LoweredGraph
  let target: Target

  /// Every variety of network, target and pipeline comes up within a few seeds.
  init(seed: Int) throws {
    var options = RandomNetwork.Options()
    options.hasSteps = seed % 2 == 0
    options.mixesItems = seed % 3 == 0
    let graph = try RandomNetwork(seed: UInt64(seed), options: options).graph
    let lanes = [8, 16, 4][seed % 3]
    target = Target(architecture: "test", lanes: lanes)
    lowered = try Self.lower(graph, for: target, passes: seed % 4 != 1)
  }

  /// Passes, kernels and layouts; without `passes` only what kernels cannot do without. `forced` names kernels
  /// of layers.
  static func lower(
    _ graph: Graph, for target: Target, passes: Bool = true, forced: [String: String] = [:]
  ) throws -> LoweredGraph {
    let optional = Set(Pipeline.names).subtracting(["expand-pyramid-pooling"])
    let passed = try PassManager(disabled: passes ? [] : optional).run(graph).graph
    let source = Catalog(kernels: KernelCatalog(target: target))
    return try ChooseKernels(source: source, forced: forced).run(passed)
  }
}

/// The kernel catalog, as the chooser asks for it.
private struct Catalog: KernelSource {
  let kernels: KernelCatalog

  func candidates(for node: NodeID, in graph: Graph) -> [KernelCandidate] {
    kernels.candidates(for: node, in: graph)
  }
}
